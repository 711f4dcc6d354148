"""Organizations that ask for a second person, and the people who ask and decide."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.db.models import F
from django.test import Client

from console.access import enter_org
from console.approvals.decisions import decide
from console.approvals.rules import Kept, Rules
from console.models import ApprovalRequest, Membership, Operator, Organization
from tests.support.answers import ADA
from tests.support.small_environment import browser

DEACTIVATE = f"/o/acme/users/{ADA}/actions/user.deactivate/"


def demand(organization: Organization, *actions: str, **rules: Any) -> Rules:
    """Let these actions, and what else is given, need an approval."""
    found = Rules(actions=frozenset(actions), **rules)
    Organization.objects.filter(pk=organization.pk).update(approvals=Kept(now=found).stored())
    organization.refresh_from_db()
    return found


def make_long_standing(*operators: Operator) -> None:
    """Let these people have been members for a week."""
    week = timedelta(days=7)
    for operator in operators:
        Operator.objects.filter(pk=operator.pk).update(date_joined=F("date_joined") - week)
        Membership.objects.filter(operator=operator).update(since=F("since") - week)


def time_passes(by: timedelta) -> None:
    """Let this much time pass for all requests."""
    for request in ApprovalRequest.objects.all():
        for name in ("asked_at", "expires_at", "opens_at", "usable_until"):
            if at := getattr(request, name):
                setattr(request, name, at - by)
        request.save()


def sends(client: Client, path: str = DEACTIVATE, *, asks: bool = False, htmx: bool = False, **typed: Any) -> Any:
    """Send the form at this address, or ask for approval with it."""
    data = {"submission": str(uuid4()), **typed} | ({"ask-approval": "1"} if asks else {})
    headers = {"HX-Request": "true", "HX-Target": "action"} if htmx else {}
    return client.post(path, data, headers=headers)


def asks(operator: Operator, path: str = DEACTIVATE, **typed: Any) -> ApprovalRequest:
    """Ask for approval with the form at this address."""
    sends(browser(operator), path, asks=True, **typed)
    return ApprovalRequest.objects.latest("asked_at")


def approves(operator: Operator, request: ApprovalRequest, reason: str = "") -> ApprovalRequest:
    """Approve as this operator, without a page."""
    access = enter_org(operator, request.organization.slug)
    decide(access, request, approves=True, reason=reason, source_address="")
    request.refresh_from_db()
    return request
