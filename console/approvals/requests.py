"""Asking for an approval, and using it: once, by the requester, for exactly what was shown."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from console.access import Acting, OrgAccess, enter_org
from console.approvals import mail
from console.approvals.approvers import hindrance
from console.approvals.effects import Effects, digest_of
from console.approvals.rules import rules_of
from console.audit import entries
from console.audit.entries import Circumstances, Subject, storable
from console.models import ApprovalRequest, AuditEntry, Job, Operator, PlanRun
from pingone_integration.texts import Text, english

USABLE_FOR = timedelta(minutes=15)
KEPT_FOR = timedelta(days=30)
MOST_OPEN = 50  # of one requester

State = ApprovalRequest.State

_LOST = _("Who approved this may not do it any more. Ask again.")
_TOO_MANY = _("You have too many open requests. Withdraw some first.")
_USED = _("The approval was used already, or has expired. Ask again.")


class NotUsable(Exception):
    """An approval that cannot be used (any more), and why."""

    def __init__(self, reason: Text) -> None:
        super().__init__(reason)
        self.reason = reason


def usable(now: datetime | None = None) -> Q:
    """Return the condition of requests that can be used: approved lately, or open for long enough (break glass)."""
    at = now or timezone.now()
    approved = Q(state=State.APPROVED, usable_until__gt=at)
    return approved | Q(state=State.OPEN, opens_at__lte=at, expires_at__gt=at)


def ask(access: OrgAccess, effects: Effects, circumstances: Circumstances) -> ApprovalRequest:
    """Make a request, and email those who may approve it. The same request twice is one. Raises NotUsable."""
    now = timezone.now()
    digest = digest_of(effects, organization=access.org.pk, requester=access.operator.pk)
    own = ApprovalRequest.objects.filter(
        organization=access.org, requester=access.operator, state=State.OPEN, expires_at__gt=now
    )
    if before := own.filter(digest=digest).first():
        return before
    if own.count() >= MOST_OPEN:
        raise NotUsable(_TOO_MANY)
    with transaction.atomic():
        request = ApprovalRequest.objects.create(
            organization=access.org,
            kind=effects.kind,
            requester=access.operator,
            name=english(effects.name),
            about=effects.about,
            needs=[list(one) for one in effects.needs],
            fields=sorted(effects.fields),
            protects=effects.protects,
            digest=digest,
            subject_id=str(effects.subject.id),
            subject_name=english(effects.subject.name),
            subject_full_name=effects.subject.full_name,
            subject_emails=[one for one in effects.emails if one],
            populations=sorted(effects.populations),
            inputs=storable(effects.inputs),
            before=storable(effects.before),
            after=storable(effects.after),
            lines=storable(list(effects.lines)),
            ticket=circumstances.ticket,
            reason=circumstances.reason,
            path=circumstances.path,
            typed=storable(circumstances.typed),
            expires_at=now + timedelta(hours=rules_of(access.org).hours),
        )
        record(request, "approval.asked", access.operator, source_address=circumstances.source_address)
        mail.asked(request)
    return request


def withdraw(access: OrgAccess, request: ApprovalRequest, *, source_address: str) -> bool:
    """Take a request back, also one that was approved. Only the requester may. Return whether it was still there."""
    if request.requester_id != access.operator.pk or access.viewing_as is not None:
        return False
    with transaction.atomic():
        there = ApprovalRequest.objects.filter(pk=request.pk, state__in=(State.OPEN, State.APPROVED))
        if not there.update(state=State.WITHDRAWN, decided_at=timezone.now()):
            return False
        record(request, "approval.withdrawn", access.operator, source_address=source_address)
        mail.over(request)
    return True


def find(access: Acting, effects: Effects) -> ApprovalRequest | None:
    """Return the usable approval that fits these effects. Raises NotUsable if its approver lost the right."""
    operator = access.actor.operator
    if operator is None:
        return None
    digest = digest_of(effects, organization=access.org.pk, requester=operator.pk)
    requests = ApprovalRequest.objects.select_related("requester", "approver")
    found = requests.filter(usable(), organization=access.org, requester=operator, digest=digest).first()
    if found:
        require_able(found)
    return found


def covering(access: Acting, about: UUID, key: str) -> bool:
    """Return whether the job or run is done with an approval, which covers this action. Raises NotUsable."""
    requests = ApprovalRequest.objects.select_related("requester", "approver")
    found = requests.filter(organization=access.org, about=about, state=State.USED).order_by("-used_at").first()
    if found is None or key not in {one for one, _of in found.needs}:
        return False
    require_able(found)
    return True


def require_able(request: ApprovalRequest) -> None:
    """Raise NotUsable unless the approver could still approve it. Without an approver, glass was broken."""
    if request.approver is None:
        return
    try:
        access = enter_org(request.approver, request.organization.slug)
    except Http404:
        raise NotUsable(_LOST) from None
    if hindrance(access, request):
        raise NotUsable(_LOST)


def use(request: ApprovalRequest, *, entry: UUID | None = None, about: UUID | None = None) -> None:
    """Use up the approval, in one conditional UPDATE. Raises NotUsable if somebody else was quicker."""
    now = timezone.now()
    changes: dict[str, object] = {"state": State.USED, "used_at": now, "entry": entry}
    if about:
        changes["about"] = about
    if not ApprovalRequest.objects.filter(usable(now), pk=request.pk).update(**changes):
        raise NotUsable(_USED)


def clear(now: datetime) -> None:
    """Delete requests after 30 days. Those of jobs and runs stay as long as these: they cover their steps."""
    old = ApprovalRequest.objects.filter(asked_at__lt=now - KEPT_FOR)
    over = old.exclude(about__in=Job.objects.values("pk")).exclude(about__in=PlanRun.objects.values("pk"))
    for requests in (old.filter(about=None), over):
        requests.delete()


def record(
    request: ApprovalRequest,
    event: str,
    operator: Operator,
    *,
    source_address: str = "",
    reason: str = "",
) -> None:
    """Record what happened to a request, with what it is about."""
    kinds = {request.Kind.JOB: AuditEntry.Subject.JOB}
    kind = kinds.get(ApprovalRequest.Kind(request.kind), AuditEntry.Subject.USER)
    if request.needs and request.needs[0][1] == "api.call":
        kind = AuditEntry.Subject.API
    about = Subject(
        kind=kind,
        id=request.subject_id,
        name=request.subject_name,
        full_name=request.subject_full_name,
        population_id=next(iter(request.population_ids), None) if len(request.populations) == 1 else None,
    )
    entries.record(
        request.organization,
        event,
        subject=about,
        operator=operator,
        source_address=source_address,
        inputs={"approval": str(request.pk), "action": request.needs[0][0] if request.needs else request.name},
        reason=reason,
    )
