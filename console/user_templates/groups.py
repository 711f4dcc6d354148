"""The groups of a template as they are now: their names, which are gone, and which only an org admin may give."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from console.access import OrgAccess
from console.models import UserTemplate
from console.protection.joining import known_to_protect
from pingone_integration import groups
from pingone_integration.calls.api import PingOneApi
from pingone_integration.calls.parallel import at_once
from pingone_integration.errors import NotFound, PingOneError

_AT_ONCE = 10


@dataclass(frozen=True, kw_only=True)
class GroupLine:
    """A group in the form of a template."""

    id: UUID
    name: str
    is_chosen: bool
    is_gone: bool = False
    is_protected: bool = False  # as far as the console knows without asking


def names_of(api: PingOneApi, group_ids: Iterable[UUID]) -> dict[UUID, str | None]:
    """Read the names of groups; None: PingOne no longer has it. Raises PingOneErrors."""
    asked = list(group_ids)
    found: dict[UUID, str | None] = {}
    for begin in range(0, len(asked), _AT_ONCE):
        part = asked[begin : begin + _AT_ONCE]
        answers = at_once(api, *(partial(groups.get, group_id=one) for one in part))
        for group_id, answer in zip(part, answers, strict=True):
            if isinstance(answer, NotFound):
                found[group_id] = None
            elif isinstance(answer, PingOneError):
                raise answer
            else:
                found[group_id] = answer.name or str(group_id)
    return found


def lines_of(
    access: OrgAccess, chosen: Iterable[UUID], sought: str, saved: UserTemplate | None
) -> tuple[list[GroupLine], bool]:
    """Return the chosen groups and those that the search finds, and whether PingOne has more. Raises PingOneErrors."""
    api = access.pingone()
    named = names_of(api, chosen)
    page = groups.search(api, sought, limit=_AT_ONCE) if sought else None
    others = {one.id: one.name or str(one.id) for one in page.items if one.id not in named} if page else {}
    protected = known_to_protect(access.org, [*named, *others])
    last_known = {UUID(one["id"]): one["name"] for one in saved.groups} if saved else {}
    lines = [
        GroupLine(
            id=one,
            name=name or last_known.get(one) or str(one),
            is_chosen=True,
            is_gone=name is None,
            is_protected=one in protected,
        )
        for one, name in named.items()
    ]
    lines += [
        GroupLine(id=one, name=name, is_chosen=False, is_protected=one in protected) for one, name in others.items()
    ]
    return lines, bool(page and page.next_cursor)
