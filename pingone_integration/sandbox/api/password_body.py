"""The state of a user's password as JSON, without the password."""

from datetime import datetime
from typing import Any

from pingone_integration.sandbox.api.endpoint import Call, iso
from pingone_integration.sandbox.models import User

Status = User.PasswordStatus


def password_status(user: User, now: datetime) -> str:
    """Return the password status. A lockout that has run out counts as OK."""
    if user.password_status != Status.PASSWORD_LOCKED_OUT:
        return user.password_status
    over = user.password_unlock_at is not None and user.password_unlock_at <= now
    return Status.OK if over else Status.PASSWORD_LOCKED_OUT


def password_state(call: Call, user: User) -> dict[str, Any]:
    own = call.url(f"users/{user.id}/password")
    status = password_status(user, call.now)
    body: dict[str, Any] = {
        "_links": {name: {"href": own} for name in ("self", *(f"password.{one}" for one in _OPERATIONS))},
        "environment": {"id": str(user.environment_id)},
        "user": {"id": str(user.id)},
        "passwordPolicy": {"id": str(user.population.password_policy_id)},
        "status": status,
    }
    if user.password_changed_at:
        body["lastChangedAt"] = iso(user.password_changed_at)
    if status == Status.PASSWORD_LOCKED_OUT and user.password_unlock_at:
        body["secondsUntilUnlock"] = round((user.password_unlock_at - call.now).total_seconds())
    return body


_OPERATIONS = ("check", "reset", "set", "recover")
