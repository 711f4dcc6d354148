"""Sign-ins, sign-outs and failed sign-ins, recorded in each organization of the operator.

An unknown email address is not kept: it may be a password in the wrong field.
"""

import logging
from datetime import UTC, datetime
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from django.http import HttpRequest
from django.urls import reverse

from console.audit import entries
from console.audit.entries import Outcome, Subject
from console.models import AuditEntry, Operator
from console.source_address import source_address

logger = logging.getLogger(__name__)


def signed_in(request: HttpRequest, operator: Operator) -> None:
    _record(request, operator, "operator.signed-in")


def signed_out(request: HttpRequest, operator: Operator) -> None:
    _record(request, operator, "operator.signed-out")


def refused(request: HttpRequest, email: str) -> None:
    """Record a wrong password. For an unknown address, only write a log line."""
    operator = Operator.objects.filter(email__iexact=email).first()
    if operator is None:
        logger.warning("A sign-in failed for an unknown address, from %s", source_address(request) or "somewhere")
    else:
        _record(request, operator, "operator.sign-in-failed", outcome=Outcome.FAILED)


def second_factor_refused(request: HttpRequest, user: Operator, **signal: Any) -> None:
    """Receive allauth's signal: the password was right, the second factor was wrong."""
    _record(request, user, "operator.sign-in-failed", outcome=Outcome.FAILED, reason="Second factor")


def signed_in_at(request: HttpRequest) -> datetime | None:
    """Return when the operator last proved in this browser session who they are: at sign-in, or again since then."""
    proofs = get_authentication_records(request, request.user)
    return max((datetime.fromtimestamp(proof["at"], UTC) for proof in proofs), default=None)


def address_to_sign_in_again(operator: Operator) -> str:
    """Return the page where the operator signs in again, by the first of their own ways."""
    ways = get_adapter().get_reauthentication_methods(operator)
    return ways[0]["url"] if ways else reverse("account_reauthenticate")


def _record(
    request: HttpRequest,
    operator: Operator,
    event: str,
    *,
    outcome: AuditEntry.Outcome = Outcome.SUCCEEDED,
    reason: str = "",
) -> None:
    for organization in operator.organizations.all():
        entries.record(
            organization,
            event,
            operator=operator,
            subject=Subject(kind=AuditEntry.Subject.OPERATOR, id=operator.id, name=operator.email),
            source_address=source_address(request),
            outcome=outcome,
            reason=reason,
        )
