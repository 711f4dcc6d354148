"""PingOne groups: searching, memberships, adding and removing users."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from pingone_integration.calls.api import PingOneApi, Query
from pingone_integration.calls.paging import Page, all_items_of, has_items, pages_of
from pingone_integration.errors import Duplicate, InvalidValue, NotFound, Unavailable
from pingone_integration.user_search import literal
from pingone_integration.values import Json, identifier, json_object, text, whole_number

MOST_MEMBERSHIPS = 10_000  # of one user
MOST_NESTED = 250
MOST_LISTED = 200  # groups of one call


@dataclass(frozen=True, kw_only=True)
class Group:
    """The part of a PingOne group that is used here."""

    id: UUID
    name: str
    description: str
    population_id: UUID | None  # None if open to users of every population
    user_filter: str  # of a dynamic group; empty if members are added one by one
    source: str  # GATEWAY or IDP if an external directory decides; empty for PingOne itself
    direct_members: int | None  # None if PingOne does not say
    total_members: int | None  # with indirect members; only if read by `get`

    @property
    def is_dynamic(self) -> bool:
        return bool(self.user_filter)


@dataclass(frozen=True, kw_only=True)
class GroupMembership:
    """A user's membership of a group, and its origin."""

    group_id: UUID
    name: str
    description: str
    is_direct: bool  # False if by the group's filter or through another group: it cannot be removed here
    user_filter: str
    population_id: UUID | None  # of the group; None if open to users of every population
    source: str  # of the group: GATEWAY or IDP if an external directory decides; empty for PingOne itself


def search(api: PingOneApi, name: str, *, limit: int = 20, cursor: str | None = None) -> Page[Group]:
    """Return the groups whose name begins with `name`, or equals it if PingOne only compares whole names.

    Source: PingOne API reference, Groups > Read All Groups (read 2026-11): `eq` on `name` is documented, `sw` is not.
    """
    if not name:
        return _search(api, "", limit, cursor)
    try:
        return _search(api, f"name sw {literal(name)}", limit, cursor)
    except InvalidValue:
        return _search(api, f"name eq {literal(name)}", limit, cursor)


def first(api: PingOneApi, *, limit: int = 200) -> tuple[Group, ...]:
    """Return the groups of one call, by name: the first choices, before a search.

    Source: PingOne API reference, Groups > Read All Groups (read 2026-11).
    """
    page = _search(api, "", limit, None)
    return tuple(sorted(page.items, key=lambda group: group.name.casefold()))


def get(api: PingOneApi, group_id: UUID) -> Group:
    """Read a group with the count of all its members. Raises NotFound."""
    found = group_of(api.get(f"/groups/{group_id}", {"include": "totalMemberCounts"}))
    if found is None or found.id != group_id:  # something in between may answer with what another call got
        raise Unavailable("not the group that was asked for")
    return found


def carries_roles(api: PingOneApi, group_id: UUID) -> bool:
    """Return whether its members are administrators.

    Source: PingOne API reference, Groups > Group Role Assignments (read 2026-11).
    """
    return has_items(api.get(f"/groups/{group_id}/roleAssignments"), "roleAssignments")


def linked(api: PingOneApi, group_id: UUID) -> frozenset[UUID]:
    """Return the groups at the other end of this group's nestings.

    Source: PingOne API reference, Groups > Nested groups (read 2026-11): at most 250. It leaves open whether the group
    is inside them or they are inside the group.
    """
    body = api.get(f"/groups/{group_id}/memberOfGroups", {"limit": MOST_NESTED})
    return frozenset(all_items_of(body, "groupMemberships", "groups", parse=_id_of))


def all_of(api: PingOneApi) -> Iterator[Page[Group]]:
    """Yield all groups, page by page, none left out. Raises as `pages_of`."""
    return pages_of(lambda cursor: _search(api, "", MOST_LISTED, cursor), whole=True)


def memberships(api: PingOneApi, user_id: UUID, *, cursor: str | None = None) -> Page[GroupMembership]:
    """Return a page of a user's direct and indirect groups; there may be thousands.

    Source: PingOne API reference, Users > Group Membership > Read All Group Memberships for User (read 2026-11).
    """
    path = f"/users/{user_id}/memberOfGroups"
    query: Query = {"limit": 100, "expand": "group"}
    return api.get_page(path, "groupMemberships", membership_of, query=query, cursor=cursor)


def all_memberships(
    api: PingOneApi, user_id: UUID, *, most: int = MOST_MEMBERSHIPS, whole: bool = False
) -> tuple[GroupMembership, ...]:
    """Return a user's direct and indirect groups, with one call for each hundred, at most `most`. Raises as `pages_of`.

    Source: as `memberships`; the most memberships of a user: PingOne platform limits (read 2026-11).
    """
    found: list[GroupMembership] = []
    for page in pages_of(lambda cursor: memberships(api, user_id, cursor=cursor), whole=whole):
        found += page.items
        if len(found) >= most:
            break
    return tuple(found[:most])


def membership(api: PingOneApi, user_id: UUID, group_id: UUID) -> GroupMembership | None:
    """Return the membership, or None if there is none, or no such user or group.

    Source: PingOne API reference, Users > Group Membership > Read One Group Membership for User (read 2026-11).
    """
    try:
        return membership_of(api.get(f"/users/{user_id}/memberOfGroups/{group_id}", {"expand": "group"}))
    except NotFound:
        return None


def add(api: PingOneApi, user_id: UUID, *, group_id: UUID) -> None:
    """Make the user a direct member. Idempotent: an existing direct membership is no error.

    Raises InvalidValue for a group of another population or with the name of one of the user's groups, and
    MissingPermission if administrators add themselves to a group with administrator roles.
    Source: PingOne API reference, Users > Group Membership > Add User to Group (read 2026-11).
    """
    try:
        api.post(f"/users/{user_id}/memberOfGroups", {"id": str(group_id)})
    except Duplicate:
        found = membership(api, user_id, group_id)
        if found is None or not found.is_direct:
            raise


def remove(api: PingOneApi, user_id: UUID, *, group_id: UUID) -> None:
    """End a direct membership. Raises NotFound without a membership, a 400 for an indirect membership.

    Source: PingOne API reference, Users > Group Membership > Remove User from Group (read 2026-11).
    """
    api.delete(f"/users/{user_id}/memberOfGroups/{group_id}")


def _id_of(body: Json) -> UUID | None:
    return identifier(body.get("id"))


def group_of(body: Json) -> Group | None:
    group_id = identifier(body.get("id"))
    if group_id is None:
        return None
    return Group(
        id=group_id,
        name=text(body.get("name")),
        description=text(body.get("description")),
        population_id=identifier(json_object(body.get("population")).get("id")),
        user_filter=text(body.get("userFilter")),
        source=text(body.get("sourceType")),
        direct_members=whole_number(json_object(body.get("directMemberCounts")).get("users")),
        total_members=whole_number(json_object(body.get("totalMemberCounts")).get("users")),
    )


def membership_of(body: Json) -> GroupMembership | None:
    group = json_object(json_object(body.get("_embedded")).get("group"))
    group_id = identifier(body.get("id"))  # the group's ID: a membership has no ID
    if group_id is None:
        return None
    return GroupMembership(
        group_id=group_id,
        name=text(body.get("name")) or text(group.get("name")),
        description=text(group.get("description")),
        is_direct=body.get("type") == "DIRECT",
        user_filter=text(group.get("userFilter")),
        population_id=identifier(json_object(group.get("population")).get("id")),
        source=text(group.get("sourceType")),
    )


def _search(api: PingOneApi, condition: str, limit: int, cursor: str | None) -> Page[Group]:
    query: dict[str, str | int] = {"limit": limit} | ({"filter": condition} if condition else {})
    return api.get_page("/groups", "groups", group_of, query=query, cursor=cursor)
