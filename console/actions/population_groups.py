"""Groups that only take users of one population: a move out of it ends the memberships, and Undo adds them again."""

from uuid import UUID

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from console.actions.action import Json, Loss, Then
from pingone_integration import groups
from pingone_integration.calls.api import PingOneApi
from pingone_integration.errors import MissingPermission, NotFound, PingOneError
from pingone_integration.groups import GroupMembership
from pingone_integration.texts import Text
from pingone_integration.users import User

_UNREAD = _("The console could not read their groups. Memberships in groups of the old population end with the move.")
_AUTOMATIC = _("Memberships that PingOne sets by itself also end. After an Undo, PingOne sets them again:")


def observe(api: PingOneApi, user: User | None, inputs: object) -> Json:
    """Return the population and the direct memberships in its groups, without the latter if they cannot be read."""
    if user is None:
        return {}
    population = {"population_id": user.population_id, "population_name": user.population_name}
    try:
        bound = [one for one in _bound(api, user) if one.is_direct]
    except (MissingPermission, NotFound):
        return population
    return population | {"population_groups": [{"id": one.group_id, "name": _name(one)} for one in bound]}


def losses(api: PingOneApi, user: User) -> list[Loss]:
    """Return the memberships that a move ends."""
    try:
        bound = _bound(api, user)
    except PingOneError:
        return [Loss(text=_UNREAD)]
    direct = tuple(_name(one) for one in bound if one.is_direct)
    automatic = tuple(_name(one) for one in bound if not one.is_direct)
    found = [Loss(text=_ended(len(direct)), names=direct)] if direct else []
    return [*found, *([Loss(text=_AUTOMATIC, names=automatic)] if automatic else [])]


def added_again(before: Json, after: Json) -> list[Then]:
    """Return an addition for each direct membership that ended between the two recorded states."""
    kept = {one["id"] for one in after.get("population_groups") or []}
    return [
        Then(action="group.add", inputs={"group_id": UUID(one["id"])}, names={"group": one["name"]})
        for one in before.get("population_groups") or []
        if one["id"] not in kept
    ]


def _ended(count: int) -> Text:
    return ngettext_lazy(
        "The move ends this membership, because the group belongs to the old population. Undo adds it again:",
        "The move ends these memberships, because the groups belong to the old population. Undo adds them again:",
        count,
    )


def _bound(api: PingOneApi, user: User) -> list[GroupMembership]:
    memberships = groups.all_memberships(api, user.id)
    return [one for one in memberships if one.population_id and one.population_id == user.population_id]


def _name(membership: GroupMembership) -> str:
    return membership.name or str(membership.group_id)
