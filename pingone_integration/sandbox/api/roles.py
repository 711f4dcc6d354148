"""Roles, and role assignments of users and groups."""

from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import HttpResponse

from pingone_integration.sandbox import errors, filters
from pingone_integration.sandbox.activities import record_resource
from pingone_integration.sandbox.api import lists
from pingone_integration.sandbox.api.endpoint import Call, created, no_content, permits
from pingone_integration.sandbox.api.groups import find_group
from pingone_integration.sandbox.models import Environment, Group, Population, Role, RoleAssignment, User
from pingone_integration.sandbox.rights import scopes_around

Holder = User | Group
Scope = RoleAssignment.Scope


def role_body(call: Call, role: Role) -> dict[str, Any]:
    body: dict[str, Any] = {
        "_links": {"self": {"href": f"{call.api_url}/roles/{role.id}"}},
        "id": str(role.id),
        "name": role.name,
        "description": role.description,
        "applicableTo": role.applicable_to,
        "permissions": [_permission(permission) for permission in role.permissions],
        "type": "CUSTOM" if role.environment_id else "PLATFORM",
    }
    if role.environment_id:
        body["environment"] = {"id": str(role.environment_id)}
    return body


def _permission(permission: str) -> dict[str, str]:
    category, action, resource = permission.split(":")
    return {"id": permission, "classifier": resource, "description": f"{action.capitalize()} {resource} ({category})"}


@permits("permissions:read:role")
def list_built_in_roles(call: Call) -> dict[str, Any]:
    roles = Role.objects.filter(environment=None).order_by("name")
    return lists.envelope(call, "roles", [role_body(call, role) for role in roles])


@permits("permissions:read:role")
def read_role(call: Call, role_id: UUID) -> dict[str, Any]:
    role = Role.objects.filter(environment=None, id=role_id).first()
    if role is None:
        raise errors.not_found()
    return role_body(call, role)


@permits("permissions:read:role")
def list_roles(call: Call) -> dict[str, Any]:
    roles = Role.objects.filter(Q(environment=None) | Q(environment=call.environment)).order_by("name")
    if call.query.get("filter"):
        node = filters.parse(call.query["filter"], {"type": frozenset({"eq"})})
        if not isinstance(node, filters.Comparison):
            raise errors.invalid_filter("Filter by one type.")
        roles = roles.filter(environment__isnull=node.value != "CUSTOM")
    return lists.envelope(call, "roles", [role_body(call, role) for role in roles])


@permits("permissions:read:userRoleAssignments")
def list_of_user(call: Call, user_id: UUID) -> dict[str, Any]:
    return _list(call, call.user(user_id))


@permits("permissions:update:userRoleAssignments")
def grant_to_user(call: Call, user_id: UUID) -> HttpResponse:
    return _grant(call, call.user(user_id))


@permits("permissions:update:userRoleAssignments")
def revoke_from_user(call: Call, user_id: UUID, assignment_id: UUID) -> HttpResponse:
    return _revoke(call, call.user(user_id), assignment_id)


@permits("permissions:read:groupRoleAssignments")
def list_of_group(call: Call, group_id: UUID) -> dict[str, Any]:
    return _list(call, find_group(call, group_id))


@permits("permissions:create:groupRoleAssignments")
def grant_to_group(call: Call, group_id: UUID) -> HttpResponse:
    """Grant a role to a group whose members are added by hand: PingOne refuses groups with a filter."""
    group = find_group(call, group_id)
    if group.user_filter:
        static = errors.detail("CONSTRAINT_VIOLATION", "group", "Only a static group can have administrator roles.")
        raise errors.invalid_data(static)
    return _grant(call, group)


@permits("permissions:delete:groupRoleAssignments")
def revoke_from_group(call: Call, group_id: UUID, assignment_id: UUID) -> HttpResponse:
    return _revoke(call, find_group(call, group_id), assignment_id)


def _held_by(holder: Holder) -> QuerySet[RoleAssignment]:
    return holder.role_assignments.select_related("role").order_by("id")


def _list(call: Call, holder: Holder) -> dict[str, Any]:
    assignments = [_assignment_body(call, assignment) for assignment in _held_by(holder)]
    return lists.envelope(call, "roleAssignments", assignments)


def _grant(call: Call, holder: Holder) -> HttpResponse:
    body = call.body()
    role, (scope_type, scope_id) = _role(call, body.get("role")), _scope(body.get("scope"))
    if scope_type not in role.applicable_to:
        raise errors.invalid_value("scope.type", "Not a scope of this role.", allowedValues=role.applicable_to)
    if not call.rights.may_grant(role, scope_id):
        raise errors.not_allowed()
    if _held_by(holder).filter(role=role, scope_id__in=scopes_around(scope_id)).exists():
        raise errors.already_in_use("role")
    holding = {"user": holder} if isinstance(holder, User) else {"group": holder}
    assignment = RoleAssignment.objects.create(role=role, scope_type=scope_type, scope_id=scope_id, **holding)
    _record(call, "ROLE_ASSIGNMENT.CREATED", holder)
    return created(_assignment_body(call, assignment))


def _revoke(call: Call, holder: Holder, assignment_id: UUID) -> HttpResponse:
    assignment = _held_by(holder).filter(id=assignment_id).first()
    if assignment is None:
        raise errors.not_found()
    if assignment.read_only or not call.rights.may_grant(assignment.role, assignment.scope_id):
        raise errors.not_allowed()
    assignment.delete()
    _record(call, "ROLE_ASSIGNMENT.DELETED", holder)
    return no_content()


def _role(call: Call, sent: Any) -> Role:
    roles = Role.objects.filter(Q(environment=None) | Q(environment=call.environment))
    role = roles.filter(id=_id(sent, "role.id")).first()
    if role is None:
        raise errors.invalid_value("role.id", "There is no such role.")
    return role


def _scope(sent: Any) -> tuple[str, UUID]:
    scope_id = _id(sent, "scope.id")
    scope_type = str(sent.get("type"))
    known = {
        Scope.ORGANIZATION: Environment.objects.filter(organization_id=scope_id),
        Scope.ENVIRONMENT: Environment.objects.filter(id=scope_id),
        Scope.POPULATION: Population.objects.filter(id=scope_id),
    }
    if scope_type not in known:
        raise errors.invalid_value("scope.type", "There is no such scope.", allowedValues=list(Scope.values))
    if not known[Scope(scope_type)].exists():
        raise errors.invalid_value("scope.id", "There is nothing with this id.")
    return scope_type, scope_id


def _id(sent: Any, target: str) -> UUID:
    try:
        return UUID(sent["id"])
    except (TypeError, KeyError, ValueError, AttributeError):
        raise errors.invalid_value(target, "Must be the id of something that exists.") from None


def _assignment_body(call: Call, assignment: RoleAssignment) -> dict[str, Any]:
    return {
        "id": str(assignment.id),
        "role": {"id": str(assignment.role_id)},
        "scope": {"id": str(assignment.scope_id), "type": assignment.scope_type},
        "environment": {"id": str(call.environment.id)},
        "readOnly": assignment.read_only or not call.rights.may_grant(assignment.role, assignment.scope_id),
    }


def _record(call: Call, action: str, holder: Holder) -> None:
    record_resource(
        call,
        action,
        action.replace("_", " ").replace(".", " ").capitalize(),
        kind="USER" if isinstance(holder, User) else "GROUP",
        resource_id=holder.id,
        name=str(holder),
        population_id=holder.population_id,
    )
