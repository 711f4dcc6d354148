"""The permissions of the administrator who connected, derived from their roles without a trial call.

Source: PingOne API reference, Platform > Roles, and User Role Assignments (read 2026-11).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from pingone_integration.calls.api import PingOneApi
from pingone_integration.calls.paging import items_of
from pingone_integration.connection.environments import api_above
from pingone_integration.errors import Blocked, MissingPermission, NotFound
from pingone_integration.models import Connection
from pingone_integration.values import identifier, json_object, text

MOST_GROUPS = 20  # groups of the administrator whose roles are read
MOST_POPULATIONS = 10  # populations whose environment is checked

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Held:
    """The roles that apply to the managed environment, and their permissions."""

    roles: frozenset[str]  # names
    everywhere: frozenset[str]  # permission IDs, such as dir:read:user
    in_populations: frozenset[str]  # permission IDs held on single populations only
    complete: bool  # False if there may be more roles, not shown by PingOne or not read

    def allows(self, *permissions: str) -> bool | None:
        """Return whether one of them is held, at least on some populations, or None if unknown."""
        if (self.everywhere | self.in_populations).intersection(permissions):
            return True
        return False if self.complete else None


@dataclass(frozen=True)
class _Assignment:
    role: UUID
    scope_type: str
    scope: UUID


def held_by_administrator(connection: Connection) -> Held | None:
    """Return the roles, or None if PingOne does not show them to this administrator, as is usual for most roles.

    Raises a PingOneError if PingOne cannot be asked.
    """
    administrator, managed = identifier(connection.consented_by_id), connection.managed_environment_id
    if administrator is None or managed is None:
        return None
    api = api_above(connection)
    home = f"/environments/{connection.environment_id}"
    person = f"{home}/users/{administrator}"
    own = _shown(lambda: _assignments(api, person))
    permissions_of = _shown(lambda: _roles(api, managed))
    if own is None or permissions_of is None:
        return None
    groups = _shown(lambda: _groups(api, person))
    by_group = [_shown(partial(_assignments, api, f"{home}/groups/{group}")) for group in groups or ()]
    assignments = [*own, *(one for found in by_group for one in found or ())]
    complete = groups is not None and len(groups) < MOST_GROUPS and None not in by_group
    return _held(api, managed, assignments, permissions_of, complete=complete)


def _held(
    api: PingOneApi,
    managed: UUID,
    assignments: list[_Assignment],
    permissions_of: dict[UUID, tuple[str, frozenset[str]]],
    *,
    complete: bool,
) -> Held:
    names: set[str] = set()
    everywhere: set[str] = set()
    in_populations: set[str] = set()
    asked = 0
    for one in assignments:
        if one.scope_type == "POPULATION":
            asked += 1
            if asked > MOST_POPULATIONS:
                complete = False
                continue
        if not _counts(api, managed, one):
            continue
        if one.role not in permissions_of:
            complete = False
            continue
        name, permissions = permissions_of[one.role]
        names.add(name)
        (in_populations if one.scope_type == "POPULATION" else everywhere).update(permissions)
    return Held(
        roles=frozenset(names),
        everywhere=frozenset(everywhere),
        in_populations=frozenset(in_populations - everywhere),
        complete=complete,
    )


def _counts(api: PingOneApi, managed: UUID, assignment: _Assignment) -> bool:
    """Return whether the role applies. An organization's role always does: a token sees one organization only."""
    if assignment.scope_type == "POPULATION":
        path = f"/environments/{managed}/populations/{assignment.scope}"
        return _shown(lambda: api.get(path)) is not None
    return assignment.scope_type == "ORGANIZATION" or assignment.scope == managed


def _shown(read: Callable[[], T]) -> T | None:
    """Return the result, or None if PingOne does not show it to this administrator."""
    try:
        return read()
    except (MissingPermission, Blocked, NotFound):
        return None


def _assignments(api: PingOneApi, holder: str) -> list[_Assignment]:
    return list(items_of(api.get(f"{holder}/roleAssignments"), "roleAssignments", _assignment_of))


def _groups(api: PingOneApi, person: str) -> list[UUID]:
    body = api.get(f"{person}/memberOfGroups", {"limit": MOST_GROUPS})
    return list(items_of(body, "groupMemberships", lambda item: identifier(item.get("id"))))


def _roles(api: PingOneApi, managed: UUID) -> dict[UUID, tuple[str, frozenset[str]]]:
    """Return name and permission IDs by role: built-in roles, and the environment's own if PingOne shows them."""
    found = items_of(api.get("/roles"), "roles", _role_of)
    own = _shown(lambda: items_of(api.get(f"/environments/{managed}/roles"), "roles", _role_of)) or ()
    return {role: (name, permissions) for role, name, permissions in (*found, *own)}


def _assignment_of(item: dict[str, Any]) -> _Assignment | None:
    scope = json_object(item.get("scope"))
    role, on = identifier(json_object(item.get("role")).get("id")), identifier(scope.get("id"))
    return _Assignment(role, text(scope.get("type")), on) if role and on else None


def _role_of(item: dict[str, Any]) -> tuple[UUID, str, frozenset[str]] | None:
    role, permissions = identifier(item.get("id")), item.get("permissions")
    listed = permissions if isinstance(permissions, list) else []
    ids = frozenset(text(json_object(one).get("id")) for one in listed)
    return (role, text(item.get("name")), ids) if role else None
