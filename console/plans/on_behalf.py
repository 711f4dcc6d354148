"""The organization as the actor: what takes access away still runs after its starter has left. Nothing else does."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied

from console.access import Actor, Permission
from console.models import AuditEntry, Membership, Organization, PlanRun
from console.rights.permissions import ACTIONS_OF
from console.rights.roles import NO_DEMANDS, Rights
from pingone_integration.calls.api import PingOneApi
from pingone_integration.connection.open_api import open_api
from pingone_integration.users import User
from pingone_integration.values import identifier

TAKE_AWAY = frozenset(
    {"user.deactivate", "sessions.end-all", "device.remove", "group.remove", "user.move", "password.replace"}
)
_RIGHTS = Rights(
    pages=frozenset({Permission.VIEW_USERS}), actions=dict.fromkeys(sorted(TAKE_AWAY), NO_DEMANDS), fields=frozenset()
)


@dataclass(frozen=True)
class OnBehalf:
    """The access of a run without its starter: what takes access away, from the users whom the starter saw.

    Protection, lock down, brake and limits hold as for everybody.
    """

    org: Organization
    populations: frozenset[UUID] | None

    rights = _RIGHTS
    viewing_as: Membership | None = None
    is_org_admin = False

    @property
    def actor(self) -> Actor:
        return Actor(kind=AuditEntry.Actor.ORGANIZATION)

    @property
    def is_narrowed(self) -> bool:
        return self.populations is not None

    def may_edit(self, name: str) -> bool:
        return False

    def again(self) -> "OnBehalf":
        org = Organization.objects.select_related("connection").get(pk=self.org.pk)
        return OnBehalf(org, self.populations)

    def allows(self, permission: Permission) -> bool:
        return permission in self.rights.permissions

    def require_to(self, action: Any) -> None:
        if action.key not in TAKE_AWAY or action.key not in ACTIONS_OF[action.permission]:
            raise PermissionDenied(action)

    def sees(self, user: User) -> bool:
        return self.sees_population(user.population_id)

    def sees_population(self, population_id: UUID | None) -> bool:
        return self.populations is None or population_id in self.populations

    def pingone(self, transaction_id: UUID | None = None) -> PingOneApi:
        return open_api(self.org.connection, transaction_id=transaction_id)


def on_behalf_of(run: PlanRun) -> OnBehalf:
    """Return the organization's own access for this run. The starter's populations at the start still limit it."""
    seen = run.populations
    populations = None if seen is None else frozenset(known for one in seen if (known := identifier(one)))
    return OnBehalf(run.organization, populations)
