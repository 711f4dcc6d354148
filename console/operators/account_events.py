"""Changes of an operator's own account on record: password, second factors, sessions. Receivers of allauth's signals.

Which factor or how many sessions is on record, never a secret.
"""

from typing import Any

from allauth.mfa.models import Authenticator
from django.http import HttpRequest

from console.models import Operator
from console.operators import sessions
from console.operators.on_record import record


def password_changed(request: HttpRequest, user: Operator, **signal: Any) -> None:
    record(request, user, "operator.password-changed")


def password_reset(request: HttpRequest, user: Operator, **signal: Any) -> None:
    """Record a password chosen through an emailed link: forgotten, or the first one."""
    record(request, user, "operator.password-reset")


def factor_added(request: HttpRequest, user: Operator, authenticator: Authenticator, **signal: Any) -> None:
    if authenticator.type == Authenticator.Type.RECOVERY_CODES:
        record(request, user, "operator.recovery-codes-created")
    else:
        record(request, user, "operator.factor-added", inputs={"factor": str(authenticator.type)})
        _end_others(request, user)


def factor_removed(request: HttpRequest, user: Operator, authenticator: Authenticator, **signal: Any) -> None:
    record(request, user, "operator.factor-removed", inputs={"factor": str(authenticator.type)})
    _end_others(request, user)


def _end_others(request: HttpRequest, user: Operator) -> None:
    """End the sessions that were not signed in with the second factors of now."""
    if count := sessions.end_others(user, request.session.session_key):
        sessions_ended(request, user, count)


def sessions_ended(request: HttpRequest, operator: Operator, count: int) -> None:
    record(request, operator, "operator.sessions-ended", inputs={"sessions": count})
