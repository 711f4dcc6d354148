"""What PingOne says of an environment rather than of a person, remembered for some minutes.

Names of populations and groups, and the attributes that users have, are no personal data, and a page must not cost a
call more for them.
"""

from dataclasses import dataclass
from uuid import UUID

from django.core.cache import cache

from console.access import OrgAccess
from pingone_integration import groups, populations, schemas
from pingone_integration.errors import PingOneError
from pingone_integration.groups import Group
from pingone_integration.populations import Population
from pingone_integration.schemas import Attribute

REMEMBERED_S = 300
FORGOTTEN_S = 30  # after a failure: asked for again soon, but not by every page


@dataclass(frozen=True)
class GroupChoices:
    """Groups found by name; `more` when PingOne has others of that name."""

    name: str
    groups: tuple[Group, ...]
    more: bool


def known_populations(access: OrgAccess) -> tuple[Population, ...]:
    """None of them when PingOne does not tell: a list is good without its filters."""
    key = key_of(access, "populations")
    known: tuple[Population, ...] | None = cache.get(key)
    if known is None:
        try:
            known, keep_s = populations.all_of(access.pingone()), REMEMBERED_S
        except PingOneError:
            known, keep_s = (), FORGOTTEN_S
        cache.set(key, known, keep_s)
    return known


def group_name(access: OrgAccess, group_id: UUID) -> str:
    """The id itself when PingOne does not tell."""
    key = key_of(access, f"group/{group_id}")
    name: str | None = cache.get(key)
    if name is None:
        try:
            name, keep_s = groups.get(access.pingone(), group_id).name or str(group_id), REMEMBERED_S
        except PingOneError:
            name, keep_s = str(group_id), FORGOTTEN_S
        cache.set(key, name, keep_s)
    return name


def find_groups(access: OrgAccess, name: str) -> GroupChoices:
    """Groups to choose from; the one that is chosen next needs no call for its name."""
    page = groups.search(access.pingone(), name)
    cache.set_many({key_of(access, f"group/{group.id}"): group.name for group in page.items}, REMEMBERED_S)
    return GroupChoices(name, page.items, more=page.next_cursor is not None)


def known_attributes(access: OrgAccess) -> tuple[Attribute, ...] | None:
    """None when PingOne does not tell: its own attributes are known without."""
    key = key_of(access, "user-attributes")
    remembered: list[tuple[Attribute, ...] | None] | None = cache.get(key)
    if remembered is None:
        try:
            remembered, keep_s = [schemas.user_attributes(access.pingone())], REMEMBERED_S
        except PingOneError:
            remembered, keep_s = [None], FORGOTTEN_S
        cache.set(key, remembered, keep_s)
    return remembered[0]


def key_of(access: OrgAccess, what: str) -> str:
    """Apart for every connection, environment and administrator: each sees others."""
    connection = access.org.connection
    return f"{connection.id}/{connection.managed_environment_id}/{connection.consented_by_id}/{what}"
