"""Sign-ins, sign-outs, failed and throttled sign-ins, on record.

An unknown email address is not kept: it may be a password in the wrong field.
"""

import logging
from typing import Any

from allauth.account.internal.stagekit import get_pending_stage
from django.http import HttpRequest

from console.audit.entries import Outcome
from console.models import Operator
from console.operators.on_record import record, record_repeated
from console.source_address import source_address

logger = logging.getLogger(__name__)


def signed_in(request: HttpRequest, operator: Operator) -> None:
    record(request, operator, "operator.signed-in")


def signed_out(request: HttpRequest, operator: Operator) -> None:
    record(request, operator, "operator.signed-out")


def refused(request: HttpRequest, email: str) -> None:
    """Record a wrong password. For an unknown address, only write a log line."""
    operator = _operator(request, email)
    if operator is None:
        logger.warning("A sign-in failed for an unknown address, from %s", source_address(request) or "somewhere")
    else:
        record(request, operator, "operator.sign-in-failed", outcome=Outcome.FAILED)


def throttled(request: HttpRequest, email: str = "") -> None:
    """Record that a sign-in was refused after too many. Without a known address: of all such people together."""
    record_repeated(
        request, _operator(request, email), "operator.sign-in-throttled", door="sign-in", outcome=Outcome.REFUSED
    )


def password_reset_requested(request: HttpRequest, email: str) -> None:
    """Record that somebody asked for a link to choose a new password. Anybody can, for any address."""
    record_repeated(request, _operator(request, email), "operator.password-reset-requested", door="reset password")


def second_factor_refused(request: HttpRequest, user: Operator, **signal: Any) -> None:
    """Receive allauth's signal: the password was right, the second factor was wrong."""
    record(request, user, "operator.sign-in-failed", outcome=Outcome.FAILED, reason="Second factor")


def _operator(request: HttpRequest, email: str) -> Operator | None:
    """Return who tries to sign in: by the address, at the second factor, or again; None if nobody knows them."""
    stage = None if email else get_pending_stage(request)
    if stage:
        return stage.login.user if isinstance(stage.login.user, Operator) else None
    if not email and isinstance(request.user, Operator):
        return request.user
    return Operator.objects.filter(email__iexact=email).first() if email else None
