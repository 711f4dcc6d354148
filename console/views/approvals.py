"""Approvals: what waits for a second person, and one request with its preview, its decision and its use."""

from uuid import UUID, uuid4

from django.contrib import messages
from django.forms import Form, Textarea
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from console.access import ConsoleRequest, OrgAccess, Permission, org_view
from console.approvals.decisions import NotDecided, break_glass, decide, request_or_404
from console.approvals.listing import Shown, lately, waiting
from console.approvals.requests import withdraw
from console.fields import MultilineField
from console.kept_forms import restore
from console.models import ApprovalRequest
from console.source_address import source_address

_APPROVED = _("Approved. The person who asked has 15 minutes to do it.")
_DECLINED = _("Declined.")
_WITHDRAWN = _("Withdrawn.")
_GLASS = _("All org admins were emailed. In 24 hours it can be done without an approval, unless one of them declines.")
_NOTHING = _("Nothing was changed: somebody else was faster.")


class DecisionForm(Form):
    reason = MultilineField(
        label=_("Reason"),
        required=False,
        max_length=1000,
        widget=Textarea(attrs={"rows": 2}),
        help_text=_("To decline, enter a reason."),
    )


@org_view(Permission.VIEW_USERS)
@require_safe
def approvals(request: ConsoleRequest, access: OrgAccess) -> HttpResponse:
    """Show the requests that wait, and those of the last days."""
    return render(request, "console/approvals/list.html", {"waiting": waiting(access), "lately": lately(access)})


@org_view(Permission.VIEW_USERS)
@require_http_methods(["GET", "POST"])
def approval(request: ConsoleRequest, access: OrgAccess, request_id: UUID) -> HttpResponse:
    """Show what somebody asks for (GET), or decide about it, withdraw it or break glass (POST)."""
    asked = request_or_404(access, request_id)
    kept = restore(request) if request.method == "GET" else None
    if kept:
        messages.warning(request, str(kept.notice))
    form = DecisionForm(request.POST if request.method == "POST" else None, initial=kept.typed.dict() if kept else None)
    if request.method == "POST" and form.is_valid():
        try:
            told = _do(request, access, asked, form.cleaned_data["reason"])
        except NotDecided as refusal:
            form.add_error(None, str(refusal.reason))
        else:
            messages.success(request, str(told))
            return redirect("approval", access.org.slug, asked.pk)
        asked.refresh_from_db()
    context = {"shown": Shown(asked, access), "form": form, "submission": uuid4()}
    return render(request, "console/approvals/request.html", context, status=422 if form.errors else 200)


def _do(request: ConsoleRequest, access: OrgAccess, asked: ApprovalRequest, reason: str) -> object:
    """Do what the pressed button says, and return what to tell. Raises NotDecided."""
    address, what = source_address(request), request.POST.get("do", "")
    if what in {"approve", "decline"}:
        decide(access, asked, approves=what == "approve", reason=reason, source_address=address)
        return _APPROVED if what == "approve" else _DECLINED
    if what == "break-glass":
        break_glass(access, asked, source_address=address)
        return _GLASS
    if what == "withdraw" and withdraw(access, asked, source_address=address):
        return _WITHDRAWN
    raise NotDecided(_NOTHING)
