"""The audit trail: each write stores an activity."""

from typing import Any
from uuid import UUID, uuid4

from pingone_integration.sandbox.api.endpoint import Call, iso
from pingone_integration.sandbox.models import Activity, Group, User


def record(call: Call, action: str, description: str, resource: User | Group | None = None) -> None:
    """Store that the caller did `action`, such as USER.UPDATED, to a user or group."""
    record_resource(
        call,
        action,
        description,
        kind="GROUP" if isinstance(resource, Group) else "USER",
        resource_id=resource.id if resource else None,
        name=str(resource) if resource else "",
        population_id=resource.population_id if resource else None,
    )


def record_resource(
    call: Call,
    action: str,
    description: str,
    *,
    kind: str,
    resource_id: UUID | None,
    name: str,
    population_id: UUID | None = None,
) -> None:
    user = call.caller.user
    resource: dict[str, Any] = {"type": kind, "id": str(resource_id), "name": name, "environment": _environment(call)}
    if kind in {"USER", "GROUP"}:
        resource["href"] = call.url(f"{kind.lower()}s/{resource_id}")
    if population_id:
        resource["population"] = {"id": str(population_id)}
    activity_id = uuid4()
    Activity.objects.create(
        id=activity_id,
        environment=call.environment,
        recorded_at=call.now,
        action_type=action,
        correlation_id=call.correlation_id,
        actor_user_id=user.id if user else None,
        actor_user_name=user.username if user else "",
        actor_client_id=call.caller.application.id,
        resource_id=resource_id,
        resource_type=kind,
        population_id=population_id,
        document={
            "id": str(activity_id),
            "recordedAt": iso(call.now),
            "createdAt": iso(call.now),
            "correlationId": call.correlation_id,
            "internalCorrelation": {"transactionId": call.transaction_id},
            "actors": _actors(call),
            "action": {"type": action, "description": description},
            "resources": [resource] if resource_id else [],
            "result": {"status": "SUCCESS", "description": description},
        },
    )


def _actors(call: Call) -> dict[str, Any]:
    application, user = call.caller.application, call.caller.user
    home = {"id": str(call.caller.environment.id)}
    actors: dict[str, Any] = {
        "client": {
            "id": application.client_id,
            "name": application.name,
            "type": "CLIENT",
            "href": f"{call.api_url}/environments/{home['id']}/applications/{application.client_id}",
            "environment": home,
        }
    }
    if user:
        actors["user"] = {
            "id": str(user.id),
            "name": user.username,
            "type": "USER",
            "href": f"{call.api_url}/environments/{home['id']}/users/{user.id}",
            "environment": home,
            "population": {"id": str(user.population_id)},
        }
    return actors


def _environment(call: Call) -> dict[str, str]:
    return {"id": str(call.environment.id)}
