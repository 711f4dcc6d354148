"""`environments`: the environments on which the caller has a role, and their license's rate limits."""

from typing import Any
from uuid import UUID

from pingone_integration.sandbox import errors, filters
from pingone_integration.sandbox.api import lists
from pingone_integration.sandbox.api.endpoint import Call, iso, permits
from pingone_integration.sandbox.models import Environment

FILTERS = {
    "name": frozenset({"sw"}),
    "id": frozenset({"eq"}),
    "organization.id": frozenset({"eq"}),
    "license.id": frozenset({"eq"}),
}
LOOKUPS = {"name": "name", "id": "id", "organization.id": "organization_id", "license.id": "license_id"}
RATE_LIMIT_EXCEPTIONS: tuple[dict[str, str], ...] = ()  # {"type": "WHITELIST", "value": "203.0.113.0/24"}
RATE_LIMITS = {
    "rlgDirAccessRps": 500,
    "rlgDirWriteRps": 250,
    "rlgDirBulkRps": 10,
    "rlgDirFixedRps": 20,
    "rlgMfaRps": 50,
    "rlgMfaPollingRps": 50,
    "rlgMfaFixedRps": 20,
    "rlgAuthnRps": 100,
    "rlgAuthnStartRps": 50,
    "rlgTokenCheckRps": 100,
    "rlgAuditRps": 10,
    "rlgConfigRpm": 600,
    "rlgAnalyticsRpm": 600,
    "rlgCatchAllRps": 50,
}


def environment_body(call: Call, environment: Environment) -> dict[str, Any]:
    own = f"{call.api_url}/environments/{environment.id}"
    organization = f"{call.api_url}/organizations/{environment.organization_id}"
    body: dict[str, Any] = {
        "_links": {
            "self": {"href": own},
            "organization": {"href": organization},
            "license": {"href": f"{organization}/licenses/{environment.license_id}"},
            "users": {"href": f"{own}/users"},
            "populations": {"href": f"{own}/populations"},
        },
        "id": str(environment.id),
        "name": environment.name,
        "type": environment.type,
        "region": environment.region,
        "status": "ACTIVE",
        "license": {"id": str(environment.license_id)},
        "organization": {"id": str(environment.organization_id)},
        "createdAt": iso(environment.created_at),
        "updatedAt": iso(environment.updated_at),
    }
    if environment.description:
        body["description"] = environment.description
    return body


@permits("orgmgt:read:environment")
def list_environments(call: Call) -> dict[str, Any]:
    rows = call.rights.environments()
    if call.query.get("filter"):
        node = filters.parse(call.query["filter"], FILTERS)
        if isinstance(node, filters.AnyOf):
            raise errors.invalid_filter("or is not supported.")
        rows = rows.filter(filters.as_q(node, LOOKUPS))
    return lists.page(call, "environments", rows, lambda row: environment_body(call, row), order="name")


@permits("orgmgt:read:environment")
def read_environment(call: Call, environment_id: UUID) -> dict[str, Any]:
    """Return an environment. A missing one answers 404 here, but 403 on every path below it."""
    environment = Environment.objects.filter(id=environment_id).first()
    if environment is None:
        raise errors.not_found()
    if not call.rights.environments().filter(id=environment_id).exists():
        raise errors.not_allowed()
    return environment_body(call, environment)


@permits("orgmgt:read:environment")
def read_capabilities(call: Call) -> dict[str, Any]:
    return {
        "_links": {"self": {"href": call.url("capabilities")}},
        "licenseQuantities": {name: {"limit": limit} for name, limit in RATE_LIMITS.items()},
    }


@permits("licensing:read:license")
def list_rate_limit_exceptions(call: Call) -> dict[str, Any]:
    """List the addresses that may use more than the share of one address."""
    return lists.envelope(call, "rateLimitIpConfigs", list(RATE_LIMIT_EXCEPTIONS))
