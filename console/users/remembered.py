"""What PingOne says of an environment rather than of a person, remembered for some minutes.

Names of populations and groups, and the attributes that users have, are no personal data, and a page must not cost a
call more for them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar, cast
from uuid import UUID

from django.core.cache import cache

from console.access import OrgAccess
from pingone_integration import groups, populations, schemas
from pingone_integration.calls.api import PingOneApi
from pingone_integration.errors import PingOneError
from pingone_integration.groups import Group
from pingone_integration.populations import Population
from pingone_integration.schemas import Attribute

REMEMBERED_S = 300
FORGOTTEN_S = 30  # after a failure: asked for again soon, but not by every page
_UNKNOWN = object()
T = TypeVar("T")


@dataclass(frozen=True)
class GroupChoices:
    """Groups found by name; `more` when PingOne has others of that name."""

    name: str
    groups: tuple[Group, ...]
    more: bool


def known_populations(access: OrgAccess) -> tuple[Population, ...]:
    """None of them when PingOne does not tell: a list is good without its filters."""
    return _remembered(access, "populations", populations.all_of, otherwise=())


def known_attributes(access: OrgAccess) -> tuple[Attribute, ...] | None:
    """None when PingOne does not tell: its own attributes are known without."""
    return _remembered(access, "attributes", schemas.user_attributes, otherwise=None)


def group_name(access: OrgAccess, group_id: UUID) -> str:
    """The id itself when PingOne does not tell."""

    def name(api: PingOneApi) -> str:
        return groups.get(api, group_id).name or str(group_id)

    return _remembered(access, f"group/{group_id}", name, otherwise=str(group_id))


def find_groups(access: OrgAccess, name: str) -> GroupChoices:
    """Groups to choose from; the one that is chosen next needs no call for its name."""
    page = groups.search(access.pingone(), name)
    cache.set_many({_key(access, f"group/{group.id}"): group.name for group in page.items}, REMEMBERED_S)
    return GroupChoices(name, page.items, more=page.next_cursor is not None)


def _remembered(access: OrgAccess, what: str, read: Callable[[PingOneApi], T], *, otherwise: T) -> T:
    """Return what `read` makes of PingOne, asked again after five minutes; `otherwise` for a while after a failure."""
    key = _key(access, what)
    known: T | object = cache.get(key, _UNKNOWN)
    if known is not _UNKNOWN:
        return cast("T", known)
    try:
        value, keep_s = read(access.pingone()), REMEMBERED_S
    except PingOneError:
        value, keep_s = otherwise, FORGOTTEN_S
    cache.set(key, value, keep_s)
    return value


def _key(access: OrgAccess, what: str) -> str:
    """Return a key apart for every connection, environment and administrator: each sees others."""
    connection = access.org.connection
    return f"{connection.id}/{connection.managed_environment_id}/{connection.consented_by_id}/{what}"
