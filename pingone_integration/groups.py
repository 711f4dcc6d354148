"""PingOne groups: searching, memberships, adding and removing users."""

from dataclasses import dataclass
from uuid import UUID

from pingone_integration.calls.api import PingOneApi, Query
from pingone_integration.calls.paging import Page, items_of
from pingone_integration.errors import Duplicate, InvalidValue, NotFound, Unavailable
from pingone_integration.user_search import literal
from pingone_integration.values import Json, identifier, json_object, text, whole_number


@dataclass(frozen=True, kw_only=True)
class Group:
    """The part of a PingOne group that is used here."""

    id: UUID
    name: str
    description: str
    population_id: UUID | None  # None: open to users of every population
    user_filter: str  # of a dynamic group; empty: members are added one by one
    source: str  # GATEWAY or IDP where an external directory decides; empty: PingOne itself
    direct_members: int | None  # None: PingOne does not say
    total_members: int | None  # with indirect ones; only of a single group

    @property
    def is_dynamic(self) -> bool:
        return bool(self.user_filter)


@dataclass(frozen=True, kw_only=True)
class GroupMembership:
    """That a user is in a group, and how they came to be."""

    group_id: UUID
    name: str
    description: str
    is_direct: bool  # False: by the group's filter or through another group, so that it cannot be taken away here
    user_filter: str
    population_id: UUID | None  # of the group; None: open to users of every population
    source: str  # of the group: GATEWAY or IDP where an external directory decides; empty: PingOne itself


def search(api: PingOneApi, name: str, *, limit: int = 20, cursor: str | None = None) -> Page[Group]:
    """Groups whose name begins with `name`; where PingOne compares group names as a whole only, those of this name.

    Source: PingOne API reference, Groups > Read All Groups (read 2026-11): `eq` on `name` is documented, `sw` is not.
    """
    if not name:
        return _search(api, "", limit, cursor)
    try:
        return _search(api, f"name sw {literal(name)}", limit, cursor)
    except InvalidValue:
        return _search(api, f"name eq {literal(name)}", limit, cursor)


def first(api: PingOneApi, *, limit: int = 200) -> tuple[Group, ...]:
    """As many as one call gives, by name: for a list to choose from before anybody has typed.

    Source: PingOne API reference, Groups > Read All Groups (read 2026-11).
    """
    page = _search(api, "", limit, None)
    return tuple(sorted(page.items, key=lambda group: group.name.casefold()))


def get(api: PingOneApi, group_id: UUID) -> Group:
    """With the count of all its members. Raises NotFound."""
    found = group_of(api.get(f"/groups/{group_id}", {"include": "totalMemberCounts"}))
    if found is None:
        raise Unavailable("a group without an id")
    return found


def carries_roles(api: PingOneApi, group_id: UUID) -> bool:
    """Whether being a member makes somebody an administrator.

    Source: PingOne API reference, Groups > Group Role Assignments (read 2026-11).
    """
    return bool(items_of(api.get(f"/groups/{group_id}/roleAssignments"), "roleAssignments", lambda role: role))


def memberships(api: PingOneApi, user_id: UUID, *, cursor: str | None = None) -> Page[GroupMembership]:
    """The groups a user is in, direct and indirect; a user may be in thousands.

    Source: PingOne API reference, Users > Group Membership > Read All Group Memberships for User (read 2026-11).
    """
    path = f"/users/{user_id}/memberOfGroups"
    query: Query = {"limit": 100, "expand": "group"}
    return api.get_page(path, "groupMemberships", membership_of, query=query, cursor=cursor)


def membership(api: PingOneApi, user_id: UUID, group_id: UUID) -> GroupMembership | None:
    """None: the user is not in the group; PingOne says the same of a user or group that is not there.

    Source: PingOne API reference, Users > Group Membership > Read One Group Membership for User (read 2026-11).
    """
    try:
        return membership_of(api.get(f"/users/{user_id}/memberOfGroups/{group_id}", {"expand": "group"}))
    except NotFound:
        return None


def add(api: PingOneApi, user_id: UUID, *, group_id: UUID) -> None:
    """Make the user a direct member; that they are one already is no error.

    Raises InvalidValue for a group of another population or of the same name as one of the user's groups, and
    MissingPermission for an administrator who adds themself to a group that carries administrator roles.
    Source: PingOne API reference, Users > Group Membership > Add User to Group (read 2026-11).
    """
    try:
        api.post(f"/users/{user_id}/memberOfGroups", {"id": str(group_id)})
    except Duplicate:
        found = membership(api, user_id, group_id)
        if found is None or not found.is_direct:
            raise


def remove(api: PingOneApi, user_id: UUID, *, group_id: UUID) -> None:
    """End a direct membership. Raises NotFound for somebody who is no member, a 400 for an indirect member.

    Source: PingOne API reference, Users > Group Membership > Remove User from Group (read 2026-11).
    """
    api.delete(f"/users/{user_id}/memberOfGroups/{group_id}")


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
    group_id = identifier(body.get("id"))  # the group's: a membership has none of its own
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
