"""Deciding about a request: approving or declining it, and breaking glass where nobody is left who could."""

from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.http import Http404
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.access import OrgAccess
from console.approvals import mail
from console.approvals.approvers import able, hindrance, sees
from console.approvals.requests import USABLE_FOR, record
from console.models import ApprovalRequest
from console.rights.permissions import Permission
from pingone_integration.texts import Text

GLASS_AFTER = timedelta(hours=24)

State, Kind = ApprovalRequest.State, ApprovalRequest.Kind

_OVER = _("This request is not open any more. Reload the page.")
_SOMEBODY = _("Somebody can decide: {people}.")
_NOT_YOURS = _("Only the person who asked can do this.")
_NO_REASON = _("Enter a reason.")


class NotDecided(Exception):
    """A decision that this operator cannot make now, and why."""

    def __init__(self, reason: Text) -> None:
        super().__init__(reason)
        self.reason = reason


def request_or_404(access: OrgAccess, request_id: UUID) -> ApprovalRequest:
    """Return a request that may be shown to the operator."""
    requests = ApprovalRequest.objects.select_related("organization__connection", "requester", "approver")
    request = requests.filter(organization=access.org, pk=request_id).first()
    if request is None or not may_see(access, request):
        raise Http404("No such request.")
    return request


def may_see(access: OrgAccess, request: ApprovalRequest) -> bool:
    """Return whether it is their own, or about users whom they see while they could decide, manage or audit it."""
    if request.requester_id == access.operator.pk:
        return request.kind == Kind.JOB or sees(access, request)  # their own job, narrowed or not
    keys = [key for key, _of in request.needs if key]
    reads = access.allows(Permission.VIEW_AUDIT) or all(map(access.rights.may, keys))
    return reads and sees(access, request)


def decide(access: OrgAccess, request: ApprovalRequest, *, approves: bool, reason: str, source_address: str) -> None:
    """Approve or decline. Declining takes a reason. Raises NotDecided."""
    access = access.again()
    if not is_open(request):
        raise NotDecided(_OVER)
    if why := hindrance(access, request):
        may_stop = not approves and access.is_org_admin and access.viewing_as is None
        if not may_stop:  # an org admin may always stop what others are about to do
            raise NotDecided(why)
    if not approves and not reason.strip():
        raise NotDecided(_NO_REASON)
    now = timezone.now()
    to = State.APPROVED if approves else State.DECLINED
    with transaction.atomic():
        there = ApprovalRequest.objects.filter(pk=request.pk, state=State.OPEN, expires_at__gt=now)
        changes = {
            "state": to,
            "approver": access.operator,
            "decided_at": now,
            "decision_reason": reason.strip(),
            "usable_until": now + USABLE_FOR if approves else None,
        }
        if not there.update(**changes):
            raise NotDecided(_OVER)
        request.refresh_from_db()
        event = "approval.given" if approves else "approval.declined"
        record(request, event, access.operator, source_address=source_address, reason=reason.strip())
        mail.decided(request)


def break_glass(access: OrgAccess, request: ApprovalRequest, *, source_address: str) -> None:
    """Let a request be used without an approver after a day, if there is nobody who could approve it.

    All org admins are told at once, and each can decline it until then. Raises NotDecided.
    """
    access = access.again()
    if request.requester_id != access.operator.pk or access.viewing_as is not None:
        raise NotDecided(_NOT_YOURS)
    if not is_open(request) or request.opens_at:
        raise NotDecided(_OVER)
    if others := able(request.organization, request):
        people = ", ".join(one.operator.email for one in others)
        raise NotDecided(format_lazy(_SOMEBODY, people=people))
    opens_at = timezone.now() + GLASS_AFTER
    with transaction.atomic():
        there = ApprovalRequest.objects.filter(pk=request.pk, state=State.OPEN, opens_at=None)
        if not there.update(opens_at=opens_at, expires_at=opens_at + GLASS_AFTER):
            raise NotDecided(_OVER)
        request.refresh_from_db()
        record(request, "approval.glass-broken", access.operator, source_address=source_address)
        mail.glass_broken(request)


def is_open(request: ApprovalRequest) -> bool:
    return request.state == State.OPEN and request.expires_at > timezone.now()
