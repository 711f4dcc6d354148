"""The PingOne data of a group's page, read in parallel. Each part can fail separately."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console import visible_users
from console.access import OrgAccess
from console.users.search_notes import notes_on
from pingone_integration import groups
from pingone_integration.calls.api import PingOneApi
from pingone_integration.calls.paging import Page
from pingone_integration.calls.parallel import at_once
from pingone_integration.errors import PingOneError, StaleCursor
from pingone_integration.groups import Group
from pingone_integration.texts import Text
from pingone_integration.users import User


@dataclass(frozen=True, kw_only=True)
class GroupPage:
    """A group with a page of its members. A part that could not be read is None, and `errors` says why."""

    group: Group
    members: Page[User] | None
    carries_roles: bool | None  # administrator roles
    candidates: Page[User] | None  # users to add; also None without a search
    errors: Mapping[str, PingOneError]  # by part: members, roles, candidates
    notes: Mapping[str, list[Text]]  # on the searches, by part: members, candidates


def as_seen_by(access: OrgAccess, group: Group) -> Group:
    """Return the group, without its counts of members if these include users whom the operator may not see."""
    return replace(group, direct_members=None, total_members=None) if access.is_narrowed else group


def member_count(group: Group) -> Text:
    """Return the number of members, "" if PingOne does not give it."""
    total, direct = group.total_members, group.direct_members
    if total is None:
        return "" if direct is None else format_lazy(_("{direct} direct"), direct=direct)
    if direct is None or direct == total:
        return str(total)
    return format_lazy(_("{total}, {direct} of them direct"), total=total, direct=direct)


def read_group_page(
    access: OrgAccess, group_id: UUID, *, member: str = "", cursor: str = "", newcomer: str = ""
) -> GroupPage:
    """Read the group, its members that match `member` (all if empty), and users that match `newcomer` (none if empty).

    Members and users are those that the operator may see.

    Raises the PingOneError of the group itself, and StaleCursor for the members.
    """
    among_members = visible_users.search_of(access, text=member, group_id=group_id)
    to_add = visible_users.search_of(access, text=newcomer)
    reads: dict[str, Callable[[PingOneApi], Any]] = {
        "group": lambda api: groups.get(api, group_id),
        "members": lambda api: visible_users.search(access, api, among_members, cursor=cursor or None),
        "roles": lambda api: groups.carries_roles(api, group_id),
    }
    if newcomer:
        reads["candidates"] = lambda api: visible_users.search(access, api, to_add, limit=10)
    results = dict(zip(reads, at_once(access.pingone(), *reads.values()), strict=True))
    errors = {part: result for part, result in results.items() if isinstance(result, PingOneError)}
    if "group" in errors:
        raise errors["group"]
    if isinstance(stale := errors.get("members"), StaleCursor):
        raise stale
    parts = {part: result for part, result in results.items() if part not in errors}
    return GroupPage(
        group=as_seen_by(access, parts["group"]),
        members=parts.get("members"),
        carries_roles=parts.get("roles"),
        candidates=parts.get("candidates"),
        errors=errors,
        notes={"members": notes_on(among_members), "candidates": notes_on(to_add)},
    )
