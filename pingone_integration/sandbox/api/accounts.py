"""The state of a user's account: enabled, population, lock, and verification of account and email address."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from pingone_integration.sandbox import errors, mail
from pingone_integration.sandbox.activities import record
from pingone_integration.sandbox.api.endpoint import Call, iso, parse_time, permits
from pingone_integration.sandbox.api.user_body import user_body
from pingone_integration.sandbox.api.users import named_population
from pingone_integration.sandbox.models import GroupMembership, Population, User
from pingone_integration.sandbox.oauth.tokens import revoke_grants_of

EMAIL_CODE_LIFETIME = timedelta(hours=24)


def links(call: Call, user: User, name: str) -> dict[str, Any]:
    """Return the `_links` of a part of a user with its own URL."""
    own = call.url(f"users/{user.id}")
    return {"self": {"href": f"{own}/{name}"}, "user": {"href": own}, "environment": {"href": call.url()}}


@permits("dir:read:user")
def read_enabled(call: Call, user_id: UUID) -> dict[str, Any]:
    user = call.user(user_id)
    return {"_links": links(call, user, "enabled"), "enabled": user.enabled}


@permits("dir:update:user")
def set_enabled(call: Call, user_id: UUID) -> dict[str, Any]:
    user = call.user(user_id)
    enabled = call.body().get("enabled")
    if not isinstance(enabled, bool):
        raise errors.invalid_value("enabled", "Must be true or false.")
    if user.enabled != enabled:
        user.enabled, user.updated_at = enabled, call.now
        user.save()
        record(call, "USER.UPDATED", "User enabled" if enabled else "User disabled", user)
    if not enabled:
        revoke_grants_of(user)
    return {"_links": links(call, user, "enabled"), "enabled": user.enabled}


@permits("dir:read:user")
def read_population_of(call: Call, user_id: UUID) -> dict[str, Any]:
    user = call.user(user_id)
    return {"_links": links(call, user, "population"), "id": str(user.population_id)}


@permits("dir:update:user")
def move(call: Call, user_id: UUID) -> dict[str, Any]:
    """Move the user to another population. This removes the user from the old population's groups."""
    user = call.user(user_id)
    population = named_population(Population.objects.filter(environment=call.environment), call.body())
    if not call.reach.covers(population.id):
        raise errors.not_allowed()
    if population.id != user.population_id:
        GroupMembership.objects.filter(user=user, group__population=user.population).delete()
        user.population, user.updated_at = population, call.now
        user.save()
        record(call, "USER.UPDATED", "User moved to another population", user)
    return {"_links": links(call, user, "population"), "id": str(user.population_id)}


@permits("dir:unlock:user")
def unlock(call: Call, user_id: UUID) -> dict[str, Any]:
    """Unlock the account. A plan without unlock answers 415."""
    if not call.environment.has_unlock:
        raise errors.unsupported_media_type()
    user = call.user(user_id)
    was_locked = user.is_locked(call.now)
    user.locked, user.locked_at, user.unlock_at = False, None, None
    user.mfa_failures = 0
    if was_locked:
        user.updated_at = call.now
        record(call, "USER.UNLOCKED", "User unlocked", user)
    user.save()
    return user_body(call, user)


@permits("dir:lock:user")
def lock(call: Call, user_id: UUID) -> dict[str, Any]:
    """Lock the account until `unlockAt`. If it is missing or past, only an administrator can unlock."""
    user = call.user(user_id)
    sent = call.optional_body().get("unlockAt")
    unlock_at = parse_time(sent, "unlockAt") if sent is not None else None
    user.locked, user.locked_at, user.updated_at = True, call.now, call.now
    user.unlock_at = unlock_at if unlock_at and unlock_at > call.now else None
    user.save()
    record(call, "USER.LOCKED", "User locked", user)
    return user_body(call, user)


@permits("dir:verify:user")
def send_verification_code(call: Call, user_id: UUID) -> dict[str, Any]:
    """Email a code. As in PingOne, this sets a verified account back to VERIFICATION_REQUIRED."""
    user = call.user(user_id)
    if not user.email:
        raise errors.refused("The user has no email address.")
    user.lifecycle_status, user.verification_code = "VERIFICATION_REQUIRED", mail.new_code()
    user.updated_at = call.now
    user.save()
    mail.send(user, "Verify your account", f"Your verification code is {user.verification_code}.")
    record(call, "USER.UPDATED", "Account verification code sent", user)
    return user_body(call, user)


@permits("dir:verify:user")
def verify(call: Call, user_id: UUID) -> dict[str, Any]:
    user = call.user(user_id)
    _check_code(call, user.verification_code)
    user.lifecycle_status, user.verification_code = "ACCOUNT_OK", ""
    user.email_verified, user.updated_at = True, call.now
    user.save()
    record(call, "USER.UPDATED", "Account verified", user)
    return user_body(call, user)


@permits("dir:verify:user")
def send_email_verification(call: Call, user_id: UUID) -> dict[str, Any]:
    """Email a code that is valid for a day and replaces earlier codes. The lifecycle does not change."""
    user = call.user(user_id)
    kind = call.optional_body().get("notificationType", "admin")
    if kind not in {"admin", "user"}:
        raise errors.invalid_value("notificationType", "Must be admin or user.", allowedValues=["admin", "user"])
    if not user.email:
        raise errors.refused("The user has no email address.")
    user.email_verification_code = mail.new_code()
    user.email_verification_expires_at = call.now + EMAIL_CODE_LIFETIME
    user.save()
    mail.send(user, "Verify your email address", f"Your verification code is {user.email_verification_code}.")
    record(call, "USER.UPDATED", "Email verification code sent", user)
    return {
        "_links": links(call, user, "emailVerification"),
        "emailVerified": user.email_verified,
        "expiresAt": iso(user.email_verification_expires_at),
    }


@permits("dir:verify:user")
def verify_email(call: Call, user_id: UUID) -> dict[str, Any]:
    user = call.user(user_id)
    expires_at = user.email_verification_expires_at
    _check_code(call, user.email_verification_code if expires_at and expires_at > call.now else "")
    user.email_verified, user.email_verification_code, user.updated_at = True, "", call.now
    user.save()
    record(call, "USER.UPDATED", "Email address verified", user)
    return {"_links": links(call, user, "emailVerification"), "emailVerified": True}


def _check_code(call: Call, expected: str) -> None:
    sent = str(call.body().get("verificationCode") or "")
    if not sent:
        raise errors.required_value("verificationCode")
    if sent.upper() != expected:
        raise errors.invalid_value("verificationCode", "The code is wrong or no longer valid.")
