"""The caller's permissions and their scopes, from the roles of the user, the user's groups or the application."""

from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from django.db.models import Q, QuerySet

from pingone_integration.sandbox.memberships import memberships_of
from pingone_integration.sandbox.models import Environment, Population, Role, RoleAssignment, User
from pingone_integration.sandbox.oauth.tokens import Caller


@dataclass(frozen=True)
class Reach:
    """The populations of one environment that a permission covers."""

    populations: frozenset[UUID] | None  # None: every population

    def covers(self, population_id: UUID | None) -> bool:
        return self.populations is None or population_id in self.populations


IDENTITY_ROLES = frozenset({"Identity Data Admin", "Identity Data Read Only", "Help Desk Admin"})
# The roles that each role can grant; None: all but Organization Admin.
# Source: PingOne API reference, Platform > Roles (read 2026-11).
GRANTS: dict[str, frozenset[str] | None] = {
    "Organization Admin": frozenset({"Environment Admin"}),
    "Environment Admin": None,
    "Identity Data Admin": IDENTITY_ROLES,
}


def held_by(user: User) -> Q:
    """Return the condition of the assignments that apply to a user: their own, and those of their groups.

    Members of a nested group have the roles of the group around it, at any depth.
    Source: PingOne API reference, Group roles, and Nesting groups (read 2026-11).
    """
    return Q(user=user) | Q(group__in=[membership.group.id for membership in memberships_of(user)])


class Rights:
    """The caller's rights. They are read once per request: a change counts from the next request on."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller

    @cached_property
    def assignments(self) -> list[RoleAssignment]:
        holder = self._holder()
        return list(holder.select_related("role")) if holder is not None else []

    def _holder(self) -> QuerySet[RoleAssignment] | None:
        """Return the caller's assignments, or None if the application is not a Worker."""
        if self.caller.application.type != "WORKER":
            return None
        if self.caller.user is None:
            return RoleAssignment.objects.filter(application=self.caller.application)
        return RoleAssignment.objects.filter(held_by(self.caller.user)).distinct()

    @cached_property
    def _environments_of_populations(self) -> dict[UUID, UUID]:
        scopes = [held.scope_id for held in self.assignments if held.scope_type == RoleAssignment.Scope.POPULATION]
        return dict(Population.objects.filter(id__in=scopes).values_list("id", "environment_id")) if scopes else {}

    def reach(self, environment: Environment, permission: str) -> Reach | None:
        """Return the permission's reach, or None if the caller does not have it in this environment."""
        populations = set()
        for held in self.assignments:
            if permission not in held.role.permissions:
                continue
            if held.scope_id in {environment.id, environment.organization_id}:
                return Reach(None)
            if self._environments_of_populations.get(held.scope_id) == environment.id:
                populations.add(held.scope_id)
        return Reach(frozenset(populations)) if populations else None

    def environments(self) -> QuerySet[Environment]:
        """Return the environments on which the caller holds any role."""
        scopes = {held.scope_id for held in self.assignments}
        in_populations = set(self._environments_of_populations.values())
        return Environment.objects.filter(Q(id__in=scopes | in_populations) | Q(organization_id__in=scopes))

    def may_grant(self, role: Role, scope_id: UUID) -> bool:
        """Return whether a role that the caller holds on this scope, or a scope around it, can grant `role`."""
        around = scopes_around(scope_id)
        return any(held.scope_id in around and _grants(held.role.name, role.name) for held in self.assignments)


def scopes_around(scope_id: UUID) -> set[UUID]:
    """Return the scope and the scopes that contain it. A role on any of them applies to the scope."""
    population = Population.objects.filter(id=scope_id).first()
    environment = Environment.objects.filter(id=population.environment_id if population else scope_id).first()
    return {scope_id, *((environment.id, environment.organization_id) if environment else ())}


def _grants(granting: str, granted: str) -> bool:
    if granting not in GRANTS:
        return False
    names = GRANTS[granting]
    return granted != "Organization Admin" if names is None else granted in names
