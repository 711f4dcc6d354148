"""A cache of PingOne's answers about an environment rather than a user, kept for some minutes.

Names of populations and groups, and the attributes of the user schema, are not personal data, and a page must not need
another call for them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar, cast
from uuid import UUID

from django.core.cache import cache

from console.access import Acting, OrgAccess
from pingone_integration import groups, populations, schemas
from pingone_integration.calls.api import PingOneApi
from pingone_integration.calls.parallel import at_once
from pingone_integration.errors import PingOneError
from pingone_integration.groups import Group
from pingone_integration.populations import Population
from pingone_integration.schemas import Attribute

REMEMBERED_S = 300
FORGOTTEN_S = 30  # after a failure: retry soon, but not on every page
_UNKNOWN = object()
T = TypeVar("T")


@dataclass(frozen=True)
class GroupChoices:
    """Groups that match a name. `more` is true if PingOne has further matches."""

    name: str
    groups: tuple[Group, ...]
    more: bool


def known_populations(access: OrgAccess) -> tuple[Population, ...]:
    """Return the operator's populations, empty if PingOne fails: the user list works without this filter."""
    nothing: tuple[Population, ...] = ()
    found = _remembered(access, "populations", populations.all_of, otherwise=nothing)
    return tuple(population for population in found if access.sees_population(population.id))


def known_attributes(access: Acting) -> tuple[Attribute, ...] | None:
    """Return the user attributes, or None if PingOne fails: the standard attributes are known anyway."""
    return _remembered(access, "attributes", schemas.user_attributes, otherwise=None)


def read_beside_attributes(access: OrgAccess, read: Callable[[PingOneApi], T]) -> T:
    """Return the result of `read`. If `known_attributes` would ask PingOne, it is asked at the same time.

    Raises what `read` raises.
    """
    key, api = _key(access, "attributes"), access.pingone()
    if cache.get(key, _UNKNOWN) is not _UNKNOWN:
        return read(api)
    result, attributes = at_once(api, read, schemas.user_attributes)
    if isinstance(attributes, PingOneError):
        cache.set(key, None, FORGOTTEN_S)
    else:
        cache.set(key, attributes, REMEMBERED_S)
    if isinstance(result, PingOneError):
        raise result
    return cast("T", result)


def group_name(access: OrgAccess, group_id: UUID) -> str:
    """Return the group's name, or its ID if PingOne does not give a name."""

    def name(api: PingOneApi) -> str:
        return groups.get(api, group_id).name or str(group_id)

    return _remembered(access, f"group/{group_id}", name, otherwise=str(group_id))


def find_groups(access: OrgAccess, name: str) -> GroupChoices:
    """Return the groups to choose from, and cache their names: the next choice needs no call for its name."""
    page = groups.search(access.pingone(), name)
    cache.set_many({_key(access, f"group/{group.id}"): group.name for group in page.items}, REMEMBERED_S)
    return GroupChoices(name, page.items, more=page.next_cursor is not None)


def _remembered(access: Acting, what: str, read: Callable[[PingOneApi], T], *, otherwise: T) -> T:
    """Return the result of `read`, cached for five minutes; after a failure return `otherwise` for 30 seconds."""
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


def _key(access: Acting, what: str) -> str:
    """Return a separate key for every connection, environment and administrator: each sees different data."""
    connection = access.org.connection
    return f"{connection.id}/{connection.managed_environment_id}/{connection.consented_by_id}/{what}"
