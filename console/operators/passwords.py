"""Passwords that anybody would guess: common ones with a year behind them, and words of the organization."""

import re
from typing import Any

from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from console.models import Operator, Organization
from console.operators.breached_passwords import refuse_breached

LEAST = 12  # characters of a password
_LOOKALIKES = str.maketrans("013457@$!", "oieastasi")
_LEAST_WORD = 4  # characters
_LEAST_REST = 8  # characters that are left without the words
_PRODUCT = ("pingone", "pingidentity", "console", "password", "passwort", "welcome", "admin", "qwerty", "helpdesk")
_HINT = _("Do not build your password from names of your organization, its products, or very common words.")


def _plain(text: str) -> str:
    """Return the letters, with those that digits and signs stand for."""
    return re.sub(r"[\W\d_]", "", text.casefold().translate(_LOOKALIKES))


class CommonPassword(CommonPasswordValidator):
    """Django's list of the 20,000 most common passwords, also with digits and signs around them, or twice.

    And the list of breached passwords, where the server has one.
    """

    def validate(self, password: str, user: Any = None) -> None:
        super().validate(password, user)
        bare = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", password.casefold())
        half = bare[: len(bare) // 2]
        for guessed in (bare, half if half * 2 == bare else ""):
            if guessed:
                super().validate(guessed, user)
        refuse_breached(password)


class OwnWords:
    """Refuse a password that is little more than words which the organization, or this product, makes obvious."""

    def validate(self, password: str, user: Operator | None = None, joins: Organization | None = None) -> None:
        if len(password) < LEAST:
            return  # refused as it is: this would only tell of words that nobody wrote
        rest = _plain(password)
        for word in sorted(_words(user, joins), key=len, reverse=True):
            rest = rest.replace(word, "")
        if len(rest) < _LEAST_REST:
            raise ValidationError(_HINT, code="password_of_own_words")

    def get_help_text(self) -> str:
        return str(_HINT)


def _words(user: Operator | None, joins: Organization | None) -> set[str]:
    told = [*_PRODUCT]
    if user is not None and user.pk:
        told += re.split(r"[.@]", user.email)
        for organization in (*user.organizations.all(), *([joins] if joins else [])):
            told += [organization.name, *organization.name.split(), *organization.slug.split("-")]
            told += re.split(r"[,.]", organization.password_words)
    return {plain for word in told if len(plain := _plain(word)) >= _LEAST_WORD}
