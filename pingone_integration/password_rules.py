"""The rules of a password policy in words, those that a refused password breaks, and a random password that meets all.

Source: PingOne API reference, Platform > Password Policies (read 2026-11). The names in a refusal vary, so that an
unknown one is left out.
"""

import secrets
import string
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any
from uuid import UUID

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from pingone_integration.calls.api import PingOneApi
from pingone_integration.calls.paging import items_of
from pingone_integration.errors import PingOneError
from pingone_integration.texts import Text
from pingone_integration.values import Json, identifier, json_object, whole_number

HISTORY, MINIMUM_AGE = "history", "minimum age"
WORTH_TELLING = 64  # characters: hardly anybody's password is longer

# Of every kind that policies ask for. No braces: PingOne takes {SHA512}... for an encoded password.
_ALPHABETS = (string.ascii_uppercase, string.ascii_lowercase, string.digits, "-_.!@#$%^*+=")
_LENGTH = 32  # of a password that nobody types
_TRIES = 100

_OLD = _("Not one of your former passwords")
_FLAGS: dict[str, Text] = {
    "excludesCommonlyUsed": _("Not one of the passwords that everybody uses"),
    "excludesProfileData": _("Without your name, username or email address"),
    "notSimilarToCurrent": _("Not similar to your current password"),
}


def rules_of(policy: Json) -> tuple[Text, ...]:
    """Return the rules that a new password has to meet, each to stand alone."""
    return tuple(rule for name, value in policy.items() for rule in _in_words(name, value))


def policy_of_all(api: PingOneApi, policy_ids: Iterable[UUID | None]) -> Json:
    """Return the policy that all these are, None standing for the environment's default. {} if they differ.

    Source: PingOne API reference, Platform > Password Policies > Read All Password Policies (read 2026-11).
    """
    found = items_of(api.get("/passwordPolicies"), "passwordPolicies", _identified)
    by_id = dict(found)
    default = next((policy for policy in by_id.values() if policy.get("default") is True), {})
    theirs = [default if one is None else by_id.get(one, {}) for one in policy_ids]
    chosen = {str(policy.get("id")): policy for policy in theirs}
    return next(iter(chosen.values())) if len(chosen) == 1 else {}


def _identified(policy: Json) -> tuple[UUID, Json] | None:
    policy_id = identifier(policy.get("id"))
    return (policy_id, policy) if policy_id else None


def only_rules(policy: Json) -> Json:
    """Return what of a policy its words come from."""
    return {name: value for name, value in policy.items() if any(True for _rule in _in_words(name, value))}


def broken_rules(error: PingOneError) -> tuple[Text, ...]:
    """Return the rules that PingOne names in a refusal, as far as they are known."""
    found = (_in_words(name, value) for inner in _inner(error) for name, value in inner.items())
    return tuple(dict.fromkeys(rule for rules in found for rule in rules))


def obstacle_in(error: PingOneError) -> str:
    """Return HISTORY or MINIMUM_AGE if PingOne names it in a refusal, else ""."""
    names = " ".join(name.casefold() for inner in _inner(error) for name in inner)
    if "minage" in names.replace("_", ""):
        return MINIMUM_AGE
    return HISTORY if "history" in names else ""


def random_password(policy: Json) -> str:
    """Return a password that nobody knows, over 150 bits of entropy unless the policy wants a short one.

    `policy`: as PingOne shows it, {} if it does not. What cannot be met, PingOne refuses.
    """
    length = json_object(policy.get("length"))
    size = max(_LENGTH, whole_number(length.get("min")) or 0)
    size = min(size, whole_number(length.get("max")) or size)
    wanted = {
        alphabet: max(whole_number(count) or 1, 1)
        for alphabet, count in json_object(policy.get("minCharacters")).items()
        if alphabet
    }
    picker = secrets.SystemRandom()
    password = ""
    for _try in range(_TRIES):
        needed = [character for alphabet, count in wanted.items() for character in _of(alphabet, count, picker)]
        usual = [picker.choice(alphabet) for alphabet in _ALPHABETS]
        rest = _of("".join(_ALPHABETS), size, picker)
        characters = [*needed, *usual, *rest][: max(size, len(needed))]
        picker.shuffle(characters)
        password = "".join(characters)
        if _meets_counts(password, policy):
            return password
    return password


def _of(alphabet: str, count: int, picker: secrets.SystemRandom) -> list[str]:
    """Return characters that differ, as long as there are enough."""
    rounds = range(0, count, len(alphabet))
    return [one for start in rounds for one in picker.sample(alphabet, min(len(alphabet), count - start))]


def _meets_counts(password: str, policy: Json) -> bool:
    in_a_row = max(len(list(same)) for _character, same in groupby(password))
    return (
        len(set(password)) >= (whole_number(policy.get("minUniqueCharacters")) or 0)
        and in_a_row <= (whole_number(policy.get("maxRepeatedCharacters")) or len(password))
        and not (password.startswith("{") and "}" in password)
    )


def _inner(error: PingOneError) -> Iterable[Json]:
    return (detail.inner for detail in error.details)


def _in_words(name: str, value: Any) -> Iterator[Text]:
    if name == "length":
        yield from _length(json_object(value))
    elif name == "minCharacters":
        yield from (_characters(alphabet, least) for alphabet, least in json_object(value).items())
    elif name in _FLAGS and value:
        yield _FLAGS[name]
    elif name == "history":
        yield _OLD
    elif number := whole_number(value):
        yield from _counted(name, number)


def _length(length: Json) -> Iterator[Text]:
    if least := whole_number(length.get("min")):
        yield format_lazy(ngettext_lazy("At least {n} character", "At least {n} characters", least), n=least)
    if (most := whole_number(length.get("max"))) and most <= WORTH_TELLING:
        yield format_lazy(ngettext_lazy("At most {n} character", "At most {n} characters", most), n=most)


def _counted(name: str, number: int) -> Iterator[Text]:
    if name == "minUniqueCharacters":
        yield format_lazy(
            ngettext_lazy("At least {n} different character", "At least {n} different characters", number), n=number
        )
    if name == "maxRepeatedCharacters":
        yield format_lazy(
            ngettext_lazy(
                "No character more than {n} time in a row", "No character more than {n} times in a row", number
            ),
            n=number,
        )


def _characters(alphabet: str, least: Any) -> Text:
    number = whole_number(least) or 1
    if alphabet.isalpha() and alphabet.isascii() and alphabet.isupper():
        words = ngettext_lazy("At least {n} capital letter", "At least {n} capital letters", number)
    elif alphabet.isalpha() and alphabet.isascii() and alphabet.islower():
        words = ngettext_lazy("At least {n} small letter", "At least {n} small letters", number)
    elif alphabet.isdigit():
        words = ngettext_lazy("At least {n} digit", "At least {n} digits", number)
    else:
        words = ngettext_lazy("At least {n} of {signs}", "At least {n} of {signs}", number)
    return format_lazy(words, n=number, signs=alphabet)
