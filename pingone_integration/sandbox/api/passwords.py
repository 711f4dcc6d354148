"""A user's password: its state, and its operations by media type.

Source: PingOne API reference, Users > User Passwords (read 2026-11).
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.http import HttpResponse, JsonResponse

from pingone_integration.sandbox import encoded_passwords, errors, lockout, mail, password_policy
from pingone_integration.sandbox.activities import record
from pingone_integration.sandbox.api.endpoint import Call, permits
from pingone_integration.sandbox.api.password_body import password_state, password_status
from pingone_integration.sandbox.api.policies import policy_body
from pingone_integration.sandbox.models import User

RECOVERY_LIFETIME = timedelta(minutes=5)
RECOVERY_TRIES = 5

Status = User.PasswordStatus


@permits("dir:read:userPassword")
def read_password(call: Call, user_id: UUID) -> dict[str, Any]:
    user = call.user(user_id)
    body = password_state(call, user)
    if call.wants("expand", "passwordPolicy"):
        body["_embedded"] = {"passwordPolicy": policy_body(call, user.population.password_policy)}
    return body


@permits("dir:recover:userPassword")
def send_recovery_code(call: Call, user_id: UUID) -> dict[str, Any]:
    """Email a recovery code. No response contains the code."""
    user = _with_own_password(call, user_id)
    status = password_status(user, call.now)
    if not user.enabled:
        raise errors.refused("The user is disabled.")
    if status in {Status.NO_PASSWORD, Status.PASSWORD_LOCKED_OUT}:
        raise errors.refused(f"A recovery code cannot be sent while the password status is {status}.")
    if not user.email:
        raise errors.refused("The user has no email address.")
    user.recovery_code, user.recovery_failures = mail.new_code(), 0
    user.recovery_expires_at = call.now + RECOVERY_LIFETIME
    user.save()
    mail.send(user, "Recover your password", f"Your recovery code is {user.recovery_code}. It is valid for 5 minutes.")
    record(call, "PASSWORD.RECOVERY_CODE_SENT", "Password recovery code sent", user)
    return password_state(call, user)


@permits("dir:recover:userPassword")
def recover(call: Call, user_id: UUID) -> HttpResponse | dict[str, Any]:
    user = _with_own_password(call, user_id)
    body = call.body()
    code, new_password = _text(body, "recoveryCode"), _text(body, "newPassword")
    _require_recoverable(call, user)
    if not _code_is_valid(call, user):
        raise errors.invalid_value("recoveryCode", "The code is wrong or no longer valid.")
    if code.upper() != user.recovery_code:
        user.recovery_failures += 1
        user.save()
        remaining = RECOVERY_TRIES - user.recovery_failures
        if not remaining:
            lockout.lock_out(user, call.now)
            record(call, "PASSWORD.LOCKED", "Password locked out by wrong recovery codes", user)
        return _failed("recoveryCode", "The code is wrong or no longer valid.", remaining)
    password_policy.check(user, new_password, "newPassword")
    user.recovery_code, user.mfa_failures = "", 0
    record(call, "USER.UNLOCKED", "User unlocked by password recovery", user)
    return _store(call, user, new_password, Status.OK, "PASSWORD.RECOVERED")


def _require_recoverable(call: Call, user: User) -> None:
    """Refuse what a recovery code cannot help with. It lifts the lock of a password, never the lock of an account."""
    status = password_status(user, call.now)
    if not user.enabled or status == Status.NO_PASSWORD:
        raise errors.refused("The user is disabled, or has no password.")
    if not user.can_authenticate() and status != Status.PASSWORD_LOCKED_OUT:
        raise errors.refused("The account is locked.")


def _code_is_valid(call: Call, user: User) -> bool:
    fresh = user.recovery_expires_at is not None and user.recovery_expires_at > call.now
    return bool(user.recovery_code) and fresh and user.recovery_failures < RECOVERY_TRIES


@permits("dir:forceChange:userPassword")
def force_change(call: Call, user_id: UUID) -> dict[str, Any]:
    user = _with_own_password(call, user_id)
    if user.password_status == Status.NO_PASSWORD:
        raise errors.refused("The user has no password.", errors.detail("NO_PASSWORD", "password", "No password."))
    user.password_status = Status.MUST_CHANGE_PASSWORD
    user.password_failures, user.password_unlock_at = 0, None
    user.save()
    record(call, "PASSWORD.FORCE_CHANGE", "Password change forced", user)
    return password_state(call, user)


@permits("dir:unlock:userPassword")
def unlock(call: Call, user_id: UUID) -> dict[str, Any]:
    user = _with_own_password(call, user_id)
    if user.password_status == Status.PASSWORD_LOCKED_OUT:
        user.password_status = Status.OK
        record(call, "PASSWORD.UNLOCKED", "Password unlocked", user)
        if not user.is_locked(call.now):
            record(call, "USER.UNLOCKED", "User unlocked", user)
    user.password_failures, user.password_unlock_at = 0, None
    user.save()
    return password_state(call, user)


@permits("dir:validate:userPassword")
def check(call: Call, user_id: UUID) -> HttpResponse | dict[str, Any]:
    user = _with_own_password(call, user_id)
    sent = call.body().get("password")
    if sent == "":
        raise errors.invalid_data(errors.detail("EMPTY_VALUE", "password", "Must not be empty."))
    if not isinstance(sent, str):
        raise errors.required_value("password")
    if password_status(user, call.now) == Status.PASSWORD_LOCKED_OUT:
        raise errors.refused("The password is locked out.")
    if encoded_passwords.matches(sent, user.password):
        user.password_failures = 0
        user.save()
        return password_state(call, user)
    return _failed("password", "The password is wrong.", _count_failure(call, user))


def _count_failure(call: Call, user: User) -> int | None:
    """Count a wrong password and return the tries left. At 0, the password is locked out."""
    remaining = lockout.count_failure(user, call.now)
    if remaining == 0:
        record(call, "PASSWORD.LOCKED", "Password locked out", user)
    return remaining


@permits("dir:reset:userPassword")
def reset(call: Call, user_id: UUID) -> HttpResponse | dict[str, Any]:
    """Reset as the user (with `currentPassword`) or as an administrator (the user must change it)."""
    user = _with_own_password(call, user_id)
    body = call.body()
    new_password = _text(body, "newPassword")
    status = Status.MUST_CHANGE_PASSWORD
    if "currentPassword" in body:
        if not encoded_passwords.matches(str(body["currentPassword"]), user.password):
            return _failed("currentPassword", "The password is wrong.", _count_failure(call, user))
        status = Status.OK
    password_policy.check(user, new_password, "newPassword")
    return _store(call, user, new_password, status, "PASSWORD.RESET")


@permits("dir:set:userPassword")
def set_password(call: Call, user_id: UUID) -> dict[str, Any]:
    user = call.user(user_id)
    body = call.body()
    return _set(call, user, _text(body, "value"), body)


@permits("dir:set:userPassword")
def set_value(call: Call, user_id: UUID) -> dict[str, Any]:
    """Set the password, or remove it if there is no value."""
    user = call.user(user_id)
    body = call.body()
    if body.get("value"):
        return _set(call, user, _text(body, "value"), body)
    external = user.identity_provider_id is not None
    user.password, user.password_changed_at = "", None
    user.password_status = Status.EXTERNAL if external else Status.NO_PASSWORD
    user.password_failures, user.password_unlock_at = 0, None
    user.save()
    record(call, "PASSWORD.SET", "Password removed", user)
    return password_state(call, user)


def _set(call: Call, user: User, value: str, body: dict[str, Any]) -> dict[str, Any]:
    unchecked = encoded_passwords.is_encoded(value)  # the policy cannot see into a digest
    if not unchecked and body.get("bypassPolicy") is not True:
        password_policy.check(user, value, "value")
        password_policy.check_former(user, value, call.now)
    status = Status.MUST_CHANGE_PASSWORD if body.get("forceChange") is True else Status.OK
    return _store(call, user, value, status, "PASSWORD.SET")


def _store(call: Call, user: User, password: str, status: str, action: str) -> dict[str, Any]:
    user.password, user.password_status = encoded_passwords.stored(password, "value"), status
    user.password_changed_at, user.updated_at = call.now, call.now
    user.password_failures, user.password_unlock_at = 0, None
    user.save()
    record(call, action, action.replace(".", " ").capitalize(), user)
    return password_state(call, user)


def _with_own_password(call: Call, user_id: UUID) -> User:
    """Return a user. Refuses a user whose password is kept by another identity provider."""
    user = call.user(user_id)
    if user.identity_provider_id is not None:
        raise errors.refused("The user's password is managed by an external identity provider.")
    return user


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if value is None:
        raise errors.required_value(name)
    if not isinstance(value, str) or not value:
        raise errors.invalid_data(errors.detail("EMPTY_VALUE", name, "Must be a string that is not empty."))
    return value


def _failed(target: str, message: str, failures_remaining: int | None) -> HttpResponse:
    """Return the error. An exception would roll back the counted failure."""
    inner = {} if failures_remaining is None else {"failuresRemaining": failures_remaining}
    error = errors.invalid_value(target, message, **inner)
    return JsonResponse(error.envelope(), status=error.status)
