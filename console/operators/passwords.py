"""Passwords that anybody would guess: common ones with a year behind them, and words of the organization."""

import re
from typing import Any

from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from console.models import Operator

_LOOKALIKES = str.maketrans("013457@$!", "oieastasi")
_LEAST_WORD = 4  # characters
_LEAST_REST = 8  # characters that are left without the words
_PRODUCT = ("pingone", "pingidentity", "console", "password", "passwort", "welcome", "admin", "qwerty", "helpdesk")
_HINT = _("Do not build your password from names of your organization, its products, or very common words.")


def _plain(text: str) -> str:
    """Return the letters, with those that digits and signs stand for."""
    return re.sub(r"[\W\d_]", "", text.casefold().translate(_LOOKALIKES))


class CommonPassword(CommonPasswordValidator):
    """Django's list of the 20,000 most common passwords, also with digits and signs around them, or twice."""

    def validate(self, password: str, user: Any = None) -> None:
        super().validate(password, user)
        bare = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", password.casefold())
        half = bare[: len(bare) // 2]
        for guessed in (bare, half if half * 2 == bare else ""):
            if guessed:
                super().validate(guessed, user)


class OwnWords:
    """Refuse a password that is little more than words which the organization, or this product, makes obvious."""

    def validate(self, password: str, user: Operator | None = None) -> None:
        rest = _plain(password)
        for word in sorted(_words(user), key=len, reverse=True):
            rest = rest.replace(word, "")
        if len(rest) < _LEAST_REST:
            raise ValidationError(_HINT, code="password_of_own_words")

    def get_help_text(self) -> str:
        return str(_HINT)


def _words(user: Operator | None) -> set[str]:
    told = [*_PRODUCT]
    if user is not None and user.pk:
        told += re.split(r"[.@]", user.email)
        for name, slug, words in user.organizations.values_list("name", "slug", "password_words"):
            told += [name, *name.split(), *slug.split("-"), *re.split(r"[,.]", words)]
    return {plain for word in told if len(plain := _plain(word)) >= _LEAST_WORD}
