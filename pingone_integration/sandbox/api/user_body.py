"""A user as JSON."""

from typing import Any

from pingone_integration.sandbox.api.endpoint import Call, iso
from pingone_integration.sandbox.api.password_body import password_state
from pingone_integration.sandbox.api.populations import population_body
from pingone_integration.sandbox.models import SchemaAttribute, User


def disabled_attributes(call: Call) -> frozenset[str]:
    """Return the names of disabled attributes. Users may still have hidden values for them."""
    disabled = SchemaAttribute.objects.filter(environment=call.environment, enabled=False)
    return frozenset(disabled.values_list("name", flat=True))


def user_body(call: Call, user: User, hidden: frozenset[str] | None = None) -> dict[str, Any]:
    """Return a user as JSON. A list passes `hidden` to save a query per user."""
    hidden = disabled_attributes(call) if hidden is None else hidden
    body: dict[str, Any] = {
        "_links": _links(call, user),
        "id": str(user.id),
        "environment": {"id": str(user.environment_id)},
        "account": account_body(call, user),
        "createdAt": iso(user.created_at),
        "emailVerified": user.email_verified,
        "enabled": user.enabled,
        "identityProvider": {"type": user.identity_provider_type},
        "lifecycle": {"status": user.lifecycle_status},
        "mfaEnabled": user.mfa_enabled,
        "population": {"id": str(user.population_id)},
        "updatedAt": iso(user.updated_at),
        "verifyStatus": user.verify_status,
    }
    if user.identity_provider_id:
        body["identityProvider"]["id"] = str(user.identity_provider_id)
    if user.last_sign_on_at:
        body["lastSignOn"] = {"at": iso(user.last_sign_on_at), "remoteIp": user.last_sign_on_ip}
    body |= {name: value for name, value in user.profile.items() if name not in hidden}
    if call.wants("expand", "population"):
        body["_embedded"] = {"population": population_body(call, user.population)}
    return body


def listed_user_body(call: Call, user: User, hidden: frozenset[str]) -> dict[str, Any]:
    """Return a user as in a list: with the state of the password."""
    body = user_body(call, user, hidden)
    body["_embedded"] = {**body.get("_embedded", {}), "password": password_state(call, user)}
    return body


def account_body(call: Call, user: User) -> dict[str, Any]:
    locked = user.is_locked(call.now)
    body: dict[str, Any] = {
        "canAuthenticate": user.enabled and not locked,
        "status": "LOCKED" if locked else "OK",
    }
    if locked and user.locked_at:
        body["lockedAt"] = iso(user.locked_at)
    if locked and user.unlock_at:
        body["unlockAt"] = iso(user.unlock_at)
        body["secondsUntilUnlock"] = round((user.unlock_at - call.now).total_seconds())
    return body


def _links(call: Call, user: User) -> dict[str, dict[str, str]]:
    own = call.url(f"users/{user.id}")
    password = {"href": f"{own}/password"}
    operations = ("reset", "set", "check", "recover")
    return {
        "self": {"href": own},
        "environment": {"href": call.url()},
        "population": {"href": call.url(f"populations/{user.population_id}")},
        "devices": {"href": f"{own}/devices"},
        "roleAssignments": {"href": f"{own}/roleAssignments"},
        "password": password,
        **{f"password.{operation}": password for operation in operations},
        "linkedAccounts": {"href": f"{own}/linkedAccounts"},
        "account.sendVerificationCode": {"href": own},
    }
