"""The search for the users whom people mean who recover. For attempts that wait together it is one call, not one each.

So a flood of names that nobody has leaves the few calls of recovery to those who are somebody.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from itertools import islice
from typing import TypeAlias
from uuid import UUID

from console.models import Organization, RecoveryAttempt
from console.protection.facts import folded
from pingone_integration import users
from pingone_integration.calls import rate_limit
from pingone_integration.calls.api import PingOneApi
from pingone_integration.calls.paging import pages_of
from pingone_integration.connection.open_api import open_api
from pingone_integration.errors import PingOneError, SealBroken
from pingone_integration.user_search import literal
from pingone_integration.user_search.conditions import size_of
from pingone_integration.users import User

MOST_OF_ONE_EMAIL = 25
_MOST_OF_MANY = 200
_TO_SEARCH = ("organization_id", "typed_hash", "sealed_typed", "candidate")
_LONGEST = 2_800  # bytes of conditions in one filter

Network: TypeAlias = tuple[UUID, str]  # the organization, and where an attempt comes from
Found: TypeAlias = Mapping[tuple[UUID, str], list[User]]  # by the organization and the hash of what was typed


def find(api: PingOneApi, typed: str) -> list[User]:
    """Return the user with this username, or else the users with this email address. Raises PingOneErrors."""
    found = _search(api, _conditions(typed))
    return _meant(typed, list(islice(found, MOST_OF_ONE_EMAIL)))


def next_of(networks: Iterable[Network]) -> list[RecoveryAttempt]:
    """Return the next attempt of each network, with what a search needs. Nothing is claimed."""
    found = []
    for organization_id, network in networks:
        due = RecoveryAttempt.objects.due().filter(organization_id=organization_id, network=network)
        found.append(due.only(*_TO_SEARCH).order_by("due_at").first())
    return [attempt for attempt in found if attempt]


def find_ahead(attempts: Iterable[RecoveryAttempt], *, known_since: datetime) -> Found:
    """Search for what these attempts mean, with one call for an organization.

    Leaves out names that were looked up at `known_since` or later, and what does not fit in the call. Raises nothing:
    what is left out is searched for alone.
    """
    found: dict[tuple[UUID, str], list[User]] = {}
    for organization, typed in _typed(attempts, known_since):
        try:
            with rate_limit.in_recovery():
                users_of = _find_many(open_api(organization.connection), typed.values())
        except PingOneError:
            continue
        found |= {(organization.pk, key): users_of[text] for key, text in typed.items() if text in users_of}
    return found


def _typed(attempts: Iterable[RecoveryAttempt], known_since: datetime) -> Iterator[tuple[Organization, dict[str, str]]]:
    """Yield each organization with what was typed there, by its hash, where that is more than one name."""
    by_organization: dict[UUID, dict[str, str]] = {}
    for attempt in attempts:
        if attempt.candidate is None and attempt.sealed_typed:
            with suppress(SealBroken):  # it fails alone
                by_organization.setdefault(attempt.organization_id, {})[attempt.typed_hash] = attempt.unseal("typed")
    organizations = Organization.objects.select_related("connection").in_bulk(list(by_organization))
    for organization_id, typed in by_organization.items():
        of_these = RecoveryAttempt.objects.filter(organization=organization_id, typed_hash__in=typed)
        for known in of_these.filter(looked_at__gte=known_since).values_list("typed_hash", flat=True):
            typed.pop(known, None)
        if len(typed) > 1:
            yield organizations[organization_id], typed


def _find_many(api: PingOneApi, typed: Iterable[str]) -> dict[str, list[User]]:
    """Return the users by what was typed, of as many texts as fit in one filter. Raises PingOneErrors."""
    conditions: list[str] = []
    asked: list[str] = []
    room = _LONGEST
    for text in typed:
        own = _conditions(text)
        room -= sum(size_of(f"{condition} or ") for condition in own)
        if room < 0:
            break
        conditions += own
        asked.append(text)
    found = list(islice(_search(api, conditions), _MOST_OF_MANY))
    if len(found) == _MOST_OF_MANY:  # perhaps not all
        return {}
    return {text: _meant(text, found) for text in asked}


def _conditions(typed: str) -> list[str]:
    spellings = dict.fromkeys((typed, typed.lower()))
    return [f"{attribute} eq {literal(text)}" for text in spellings for attribute in ("username", "email")]


def _search(api: PingOneApi, conditions: Iterable[str]) -> Iterator[User]:
    chosen = " or ".join(conditions)
    for page in pages_of(lambda cursor: users.search(api, filter=chosen, limit=_MOST_OF_MANY, cursor=cursor)):
        yield from page.items


def _meant(typed: str, found: Iterable[User]) -> list[User]:
    """Compare each row again: PingOne decides what equal means, and one letter may look like another.

    An address belongs to who has it, not to somebody else who took it as their username.
    """
    found, meant = list(found), folded(typed)
    by_username = [user for user in found if folded(user.username) == meant][:1]
    by_email = [user for user in found if folded(user.email) == meant]
    is_theirs = not by_email or any(folded(user.email) == meant for user in by_username)
    return by_username if by_username and is_theirs else by_email
