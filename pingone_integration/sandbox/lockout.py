"""The lockout of a password after too many wrong passwords or recovery codes, as the population's policy says."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import F

from pingone_integration.sandbox.models import User


def count_failure(user: User, now: datetime) -> int | None:
    """Count a wrong password, and lock the password after the last try. Return the tries left, None for no limit."""
    most = _rule(user).get("failureCount")
    row = User.objects.filter(pk=user.pk)
    row.update(password_failures=F("password_failures") + 1)  # sign-ins may fail at the same time
    user.refresh_from_db(fields=["password_failures"])
    if most is None:
        return None
    remaining = max(int(most) - user.password_failures, 0)
    if not remaining:
        lock_out(user, now)
    return remaining


def lock_out(user: User, now: datetime) -> None:
    """Lock the password. The next count begins at 0, after the lock has run out or was lifted."""
    duration = _rule(user).get("durationSeconds")
    user.password_status = User.PasswordStatus.PASSWORD_LOCKED_OUT
    user.password_unlock_at = now + timedelta(seconds=duration) if duration is not None else None
    user.password_failures = 0
    user.save(update_fields=["password_status", "password_unlock_at", "password_failures"])


def _rule(user: User) -> dict[str, Any]:
    rule: dict[str, Any] = user.population.password_policy.definition.get("lockout", {})
    return rule
