"""The groups of a step that are settled at the start: which of them the step adds or removes, and which it leaves out.

A group that gives administrator rights today, or is marked as protected, is never given by a plan.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.models import Organization
from console.plans.definition import ActionStep
from console.protection.joining import joining
from pingone_integration.calls.api import PingOneApi
from pingone_integration.groups import GroupMembership
from pingone_integration.texts import Text

_GONE = _("PingOne no longer has this group.")
_LEFT_ALONE = _("{why} Plans do not give it.")


@dataclass(frozen=True, kw_only=True)
class GroupTarget:
    id: UUID
    name: str
    left_out: Text = ""  # why the step leaves this group out


def group_targets(
    step: ActionStep,
    settled: Iterable[Mapping[str, str]],
    memberships: Iterable[GroupMembership],
    organization: Organization,
    api: PingOneApi,
) -> list[GroupTarget]:
    """Return the groups that the step still has to do something about. Raises PingOneErrors."""
    named = {UUID(one["id"]): one["name"] for one in settled}
    direct = {one.group_id for one in memberships if one.is_direct}
    if step.action == "group.remove":
        return [GroupTarget(id=one, name=name) for one, name in named.items() if one in direct]
    missing = {one: name for one, name in named.items() if one not in direct}
    found = joining(organization, api, missing)
    told: dict[UUID, Text] = dict.fromkeys(found.gone, _GONE)
    told |= {one: format_lazy(_LEFT_ALONE, why=why.sentence) for one, why in found.protected.items()}
    return [GroupTarget(id=one, name=name, left_out=told.get(one, "")) for one, name in missing.items()]
