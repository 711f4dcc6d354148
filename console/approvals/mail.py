"""Emails about approvals: to those who may approve, to the requester, and to all org admins if one is done without."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.approvals.approvers import able, former_org_admins
from console.models import ApprovalRequest, Operator, Organization
from console.outbox import emails
from console.outbox.emails import one_line
from console.user_mails.tell import harmless
from pingone_integration.texts import Text

_NEWS_FOR = timedelta(days=1)
_ASKED = _("{organization}: {requester} asks for your approval")
_GLASS = _("{organization}: {requester} wants to do something without an approval")
_DECIDED: dict[str, Text] = {
    ApprovalRequest.State.APPROVED: _("{organization}: your request was approved"),
    ApprovalRequest.State.DECLINED: _("{organization}: your request was declined"),
}
_UNPROTECTED = _("{organization}: {requester} ends a protection")
_WEAKER = _("{organization}: {requester} wants weaker rules of approvals")


def asked(request: ApprovalRequest) -> None:
    """Tell those who can decide. If nobody can, the requester sees that on the request's page."""
    _send(request, [access.operator for access in able(request.organization, request)], _ASKED)


def decided(request: ApprovalRequest) -> None:
    """Tell the requester, as long as they belong to the organization. Nobody else is asked any more."""
    over(request)
    to = request.organization.active_operators().filter(pk=request.requester_id)
    _send(request, to, _DECIDED[request.state])


def glass_broken(request: ApprovalRequest) -> None:
    """Tell all org admins that it can be done without an approval, and from when on, and who was one lately."""
    _send(request, request.organization.org_admins(), _GLASS)
    _tell_former(request.organization, request.requester, _GLASS)


def over(request: ApprovalRequest) -> None:
    """Withdraw what was not sent yet."""
    emails.withdraw(_about(request))


def weaker_rules(organization: Organization, by: Operator, *, at: str, told: Iterable[Text]) -> None:
    """Tell all org admins, and who was one lately, that approvals are to be asked for less."""
    names = {"organization": one_line(organization.name), "requester": by.email}
    context = names | {
        "told": [str(one) for one in told],
        "at": at,
        "url": settings.PUBLIC_URL + reverse("approval-rules", args=[organization.slug]),
    }
    _write(
        organization.org_admins(), _WEAKER, "approval_rules", names, context, about=f"approval rules {organization.pk}"
    )
    _tell_former(organization, by, _WEAKER)


def _tell_former(organization: Organization, by: Operator, subject: Text) -> None:
    """Tell who was an org admin lately, without details. One of two who removes the other is not alone with it then."""
    names = {"organization": one_line(organization.name), "requester": by.email}
    _write(
        former_org_admins(organization),
        subject,
        "approval_former",
        names,
        names,
        about=f"approval rules {organization.pk}",
    )


def protection_ends(
    organization: Organization, by: Operator, kind: str, target_id: UUID, *, name: str, reason: str, at: datetime
) -> None:
    """Tell all org admins that a user or group will not be protected anymore, and from when on."""
    names = {"organization": one_line(organization.name), "requester": by.email}
    context = names | {
        "name": harmless(name) or str(target_id),
        "reason": one_line(reason, 1000),
        "at": f"{at:%Y-%m-%d %H:%M}",
        "url": settings.PUBLIC_URL + reverse(f"protect-{kind}", args=[organization.slug, target_id]),
    }
    about = f"protection {target_id}"
    _write(organization.org_admins(), _UNPROTECTED, "protection_ends", names, context, about=about)


def _about(request: ApprovalRequest) -> str:
    return f"approval {request.pk}"


def _send(request: ApprovalRequest, to: Iterable[Operator], subject: Text) -> None:
    names = {"organization": one_line(request.organization.name), "requester": request.requester.email}
    context = names | {
        "request": request,
        "name": one_line(request.name),
        "person": harmless(request.subject_name) or request.subject_id,
        "reason": one_line(request.reason, 1000),
        "decision_reason": one_line(request.decision_reason, 1000),
        "decided_by": request.approver.email if request.approver else "",
        "url": settings.PUBLIC_URL + reverse("approval", args=[request.organization.slug, request.pk]),
    }
    _write(to, subject, "approval", names, context, about=_about(request))


def _write(
    to: Iterable[Operator],
    subject: Text,
    template: str,
    names: Mapping[str, str],
    context: Mapping[str, object],
    *,
    about: str,
) -> None:
    """Write the email of this template to each. `names`: what the subject names."""
    for operator in to:
        emails.write(
            to=operator.email,
            subject=str(format_lazy(str(subject), **names)),
            body=render_to_string(f"console/email/{template}.txt", dict(context)),
            about=about,
            worth_for=_NEWS_FOR,
            may_repeat=True,
        )
