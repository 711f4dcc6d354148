"""The groups that a newcomer is to get: chosen, of a template, or like a colleague. Only those that a plan may give."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from console import visible_users
from console.access import OrgAccess
from console.actions.catalogue import BY_KEY
from console.plans.person import direct_groups
from console.protection.joining import joining
from pingone_integration.calls.api import PingOneApi
from pingone_integration.texts import Text
from pingone_integration.typed.text import Kind, clean
from pingone_integration.user_search import literal
from pingone_integration.users import User

Group = Mapping[str, str]  # "id" and "name"

_NOBODY = _("No user has this username or email address.")
_SEVERAL = _("More than one user has this email address. Enter the username.")
_GONE = _("PingOne no longer has this group.")
_ELSEWHERE = _("It is only for another population.")
_NOT_ALLOWED = _("Your role does not allow this.")


class NoColleague(ValueError):
    """The text leads to no user, or to several."""

    def __init__(self, reason: Text) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, kw_only=True)
class GroupsToGive:
    """`left_out`: names, each with the reason."""

    given: list[Group] = field(default_factory=list)
    left_out: list[tuple[str, Text]] = field(default_factory=list)


def colleague_named(access: OrgAccess, api: PingOneApi, typed: str) -> User:
    """Return the one user with this username, or else with this email. Raises NoColleague and PingOneErrors."""
    name = clean(typed, Kind.ID)[:256]
    condition = f"username eq {literal(name)} or email eq {literal(name)}"
    found = visible_users.search(access, api, visible_users.search_of(access, raw_filter=condition), limit=5).items
    by_username = [one for one in found if one.username.casefold() == name.casefold()]
    if not (found := tuple(by_username or found)):
        raise NoColleague(_NOBODY)
    if len(found) > 1:
        raise NoColleague(_SEVERAL)
    return found[0]


def groups_like(api: PingOneApi, colleague: User, population_id: UUID | None) -> GroupsToGive:
    """Return the colleague's direct groups that are open to users of the population. Raises PingOneErrors."""
    memberships = direct_groups(api, colleague.id)
    fitting = [one for one in memberships if one.population_id in {None, population_id}]
    others = [one for one in memberships if one not in fitting]
    return GroupsToGive(
        given=[{"id": str(one.group_id), "name": one.name or str(one.group_id)} for one in fitting],
        left_out=[(one.name or str(one.group_id), _ELSEWHERE) for one in others],
    )


def allowed(access: OrgAccess, api: PingOneApi, wanted: Iterable[Group]) -> GroupsToGive:
    """Return which of the groups this operator's plan may give: none that gives rights. Raises PingOneErrors."""
    named = {UUID(one["id"]): one["name"] for one in wanted}
    if not access.may(BY_KEY["group.add"]):
        return GroupsToGive(left_out=[(name, _NOT_ALLOWED) for name in named.values()])
    found = joining(access.org, api, named)
    why: dict[UUID, Text] = dict.fromkeys(found.gone, _GONE)
    why |= {one: protection.sentence for one, protection in found.protected.items()}
    return GroupsToGive(
        given=[{"id": str(one), "name": name} for one, name in named.items() if one not in why],
        left_out=[(name, why[one]) for one, name in named.items() if one in why],
    )
