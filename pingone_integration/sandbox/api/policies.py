"""`passwordPolicies`: reading password policies."""

from typing import Any
from uuid import UUID

from pingone_integration.sandbox import errors
from pingone_integration.sandbox.api import lists
from pingone_integration.sandbox.api.endpoint import Call, iso, permits
from pingone_integration.sandbox.models import PasswordPolicy


def policy_body(call: Call, policy: PasswordPolicy) -> dict[str, Any]:
    return {
        "_links": {
            "self": {"href": call.url(f"passwordPolicies/{policy.id}")},
            "environment": {"href": call.url()},
        },
        "id": str(policy.id),
        "environment": {"id": str(policy.environment_id)},
        "name": policy.name,
        "default": policy.default,
        **policy.definition,
        "createdAt": iso(policy.created_at),
        "updatedAt": iso(policy.updated_at),
    }


@permits("dir:read:passwordPolicy")
def list_policies(call: Call) -> dict[str, Any]:
    policies = PasswordPolicy.objects.filter(environment=call.environment)
    return lists.envelope(call, "passwordPolicies", [policy_body(call, policy) for policy in policies])


@permits("dir:read:passwordPolicy")
def read_policy(call: Call, policy_id: UUID) -> dict[str, Any]:
    policy = PasswordPolicy.objects.filter(environment=call.environment, id=policy_id).first()
    if policy is None:
        raise errors.not_found()
    return policy_body(call, policy)
