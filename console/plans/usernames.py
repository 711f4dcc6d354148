"""Usernames from a pattern of the organization: suggestions that nobody has, nor had until lately."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.audit.entries import Outcome
from console.models import AuditEntry, Organization
from pingone_integration import users
from pingone_integration.calls.api import PingOneApi
from pingone_integration.calls.paging import pages_of
from pingone_integration.texts import Text
from pingone_integration.user_search import literal
from pingone_integration.user_search.spellings import unaccented

LONGEST_PATTERN = 80
LONGEST_USERNAME = 128
NOT_REUSED_FOR = timedelta(days=90)
EXAMPLE = "{given}.{family}"
PLACEHOLDERS = ("{given}", "{family}", "{given-initial}", "{family-initial}")
HELP = format_lazy(
    _("For new users, with {placeholders}. For example {example}. A name that is taken gets a number."),
    placeholders=", ".join(PLACEHOLDERS),
    example=EXAMPLE,
)

_PLACEHOLDER = re.compile("|".join(map(re.escape, PLACEHOLDERS)))
_FIXED = re.compile(r"[A-Za-z0-9._@+-]*")
_LEFT_OUT = re.compile(r"[^a-z0-9-]")
_TRIES = 20  # numbers of one name
_NAMES_OF_A_CALL = 20
_MAY_HAVE_HAPPENED = (Outcome.STARTED, Outcome.SUCCEEDED, Outcome.UNKNOWN)


@dataclass(frozen=True)
class Person:
    """The name of somebody who is to get a username."""

    given: str
    family: str


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """A free username, empty if there is none, and what is to be said of it."""

    username: str = ""
    note: Text = ""


def check_pattern(pattern: str) -> None:
    """Raise ValidationError for what is no pattern."""
    fixed = _PLACEHOLDER.sub("", pattern)
    if fixed == pattern:
        raise ValidationError(format_lazy(_("Use at least one of {names}."), names=", ".join(PLACEHOLDERS)))
    if not _FIXED.fullmatch(fixed):
        told = _("Besides {names}, a pattern has only letters, digits and the signs . _ - @ +")
        raise ValidationError(format_lazy(told, names=", ".join(PLACEHOLDERS)))


def suggest(organization: Organization, api: PingOneApi, people: Sequence[Person]) -> list[Suggestion]:
    """Return a username for each, none of them twice. One call for twenty names. Raises PingOneErrors."""
    candidates = [list(_candidates(organization.username_pattern, one)) for one in people]
    freed = _freed(organization, {name for names in candidates for name in names})
    likely = max(1, _NAMES_OF_A_CALL // max(1, len(people)))
    taken: dict[str, bool] = {}

    def ask(names: Iterable[str]) -> None:
        new = [name for name in dict.fromkeys(names) if name not in taken]
        for start in range(0, len(new), _NAMES_OF_A_CALL):
            taken.update(_taken(api, new[start : start + _NAMES_OF_A_CALL]))

    ask(name for names in candidates for name in names[:likely])
    suggestions = []
    for names in candidates:
        suggestion = Suggestion(note=_ALL_TAKEN if names else _NO_LETTERS)
        for number, name in enumerate(names):
            ask(names[number:] if name not in taken else ())
            if not taken[name] and name not in freed:
                taken[name] = True
                suggestion = Suggestion(username=name, note=_said(names[:number], freed))
                break
        suggestions.append(suggestion)
    return suggestions


_NO_LETTERS = _("There is no suggestion: the name has no letters from A to Z. Enter a username.")
_ALL_TAKEN = _("There is no suggestion: every name of the pattern is taken. Enter a username.")
_FREED = _("“{name}” belonged to a user who was deleted here less than {days} days ago.")


def freed_lately(organization: Organization, username: str) -> Text:
    """Return the sentence on a username that a delete of the last 90 days freed, or "". No call to PingOne."""
    return _said([username.casefold()], _freed(organization, [username]))


def _said(names: Iterable[str], freed: set[str]) -> Text:
    found = next((name for name in names if name in freed), "")
    return format_lazy(_FREED, name=found, days=NOT_REUSED_FOR.days) if found else ""


def _candidates(pattern: str, person: Person) -> Iterator[str]:
    """Yield the name by the pattern, then with a number before its @, if it has one."""
    given, family = _plain(person.given), _plain(person.family)
    values = dict(zip(PLACEHOLDERS, (given, family, given[:1], family[:1]), strict=True))
    if any(not values[used] for used in _PLACEHOLDER.findall(pattern)):
        return
    whole = _PLACEHOLDER.sub(lambda found: values[found[0]], pattern).casefold()
    local, at, domain = whole.partition("@")
    room = LONGEST_USERNAME - len(at + domain)
    for number in range(1, _TRIES + 1):
        end = str(number) if number > 1 else ""
        yield local[: room - len(end)] + end + at + domain


def _plain(name: str) -> str:
    """Return the name in small letters of ASCII, as the search spells it: Müller is mueller. Others are left out."""
    return _LEFT_OUT.sub("", next(unaccented(name), name).casefold()).strip("-")


def is_taken(api: PingOneApi, username: str) -> bool:
    """Return whether somebody has the username, in whatever population. One call. Raises PingOneErrors."""
    name = username.casefold()
    return _taken(api, [name])[name]


def _taken(api: PingOneApi, names: Sequence[str]) -> dict[str, bool]:
    """Return which usernames somebody has, in whatever population."""
    sought = " or ".join(f"username eq {literal(name)}" for name in names)
    pages = pages_of(lambda cursor: users.search(api, filter=sought, limit=100, cursor=cursor))
    found = {one.username.casefold() for page in pages for one in page.items}
    return {name: name in found for name in names}


def _freed(organization: Organization, names: Iterable[str]) -> set[str]:
    """Return those that a delete here freed lately, in small letters."""
    deletes = AuditEntry.objects.current().filter(
        organization=organization,
        action="user.delete",
        outcome__in=_MAY_HAVE_HAPPENED,
        at__gt=timezone.now() - NOT_REUSED_FOR,
    )
    named = deletes.annotate(name=Lower("subject_name")).filter(name__in=[one.casefold() for one in names])
    return set(named.values_list("name", flat=True))
