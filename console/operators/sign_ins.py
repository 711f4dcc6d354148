"""Sign-ins, sign-outs, failed and throttled sign-ins, on record.

An unknown email address is not kept: it may be a password in the wrong field.
"""

import logging
from typing import Any

from allauth.account.internal.stagekit import get_pending_stage
from django.http import HttpRequest

from console.audit.entries import Outcome
from console.models import Operator, Organization
from console.operators.on_record import record, record_repeated
from console.session_slot import SessionSlot
from console.source_address import source_address

logger = logging.getLogger(__name__)


def signed_in(request: HttpRequest, operator: Operator) -> None:
    """Record a sign-in where it leads: with several organizations, each learns of it when the operator enters.

    Until then it is in the server's chain alone: when they work elsewhere is nobody's business.
    """
    organizations = list(operator.entered_organizations)
    if len(organizations) <= 1:
        record(request, operator, "operator.signed-in", chains=organizations or [None])
        return
    record(request, operator, "operator.signed-in", chains=[None])
    _not_entered(request).set([str(organization.pk) for organization in organizations])


def entered(request: HttpRequest, operator: Operator, organization: Organization) -> None:
    """Record the sign-in at the first page of an organization, once for each browser session."""
    left: list[str] = _not_entered(request).get() or []
    if str(organization.pk) in left:
        record(request, operator, "operator.signed-in", chains=[organization])
        _not_entered(request).set([one for one in left if one != str(organization.pk)])


def not_entered(request: HttpRequest) -> frozenset[str]:
    """Return the IDs of the organizations that this browser session has not entered, of those that learn of it."""
    return frozenset(_not_entered(request).get() or [])


def signed_out(request: HttpRequest, operator: Operator, *, never_entered: frozenset[str]) -> None:
    entered_ones = [one for one in operator.entered_organizations if str(one.pk) not in never_entered]
    record(request, operator, "operator.signed-out", chains=entered_ones or [None])


def _not_entered(request: HttpRequest) -> SessionSlot:
    return SessionSlot(request.session, "not-entered")


def refused(request: HttpRequest, email: str) -> None:
    """Record a wrong password. For an unknown address, only write a log line."""
    operator = _operator(request, email)
    if operator is None:
        logger.warning("A sign-in failed for an unknown address, from %s", source_address(request) or "somewhere")
    else:
        record(request, operator, "operator.sign-in-failed", outcome=Outcome.FAILED)


def nowhere_to_go(request: HttpRequest, operator: Operator) -> None:
    """Record the sign-in of somebody whom no organization lets in."""
    record(request, operator, "operator.sign-in-failed", outcome=Outcome.REFUSED, reason="No organization lets them in")


def not_by_single_sign_on(request: HttpRequest, operator: Operator) -> None:
    """Record a sign-in that was right in itself, on a server where only single sign-on lets people in."""
    record(request, operator, "operator.sign-in-failed", outcome=Outcome.REFUSED, reason="Not by single sign-on")


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
