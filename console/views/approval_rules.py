"""Settings > Policies > Approvals: what the organization asks a second person for."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from console.access import ConsoleRequest, OrgAccess, Permission, org_view
from console.actions.demands import Demand
from console.approvals import changes
from console.approvals.changes import NotChanged, in_words
from console.approvals.forms import RulesForm
from console.approvals.rules import Kept
from console.kept_forms import restore
from console.plans.offered import every_plan
from console.responses import to_sign_in_again
from console.sessions.fresh import signed_in_at
from console.source_address import source_address

_SAVED = _("Saved. The rules hold from now on.")
_WAITS = _("What is stronger holds from now on. What is weaker waits for 24 hours: all org admins got an email.")
_HOLDS = _("The weaker rules hold from now on.")
_STOPPED = _("Stopped. The rules stay as they are.")


@org_view(Permission.MANAGE_POLICIES)
@require_http_methods(["GET", "POST"])
def approval_rules(request: ConsoleRequest, access: OrgAccess) -> HttpResponse:
    """Show the rules (GET), save them, or decide about weaker ones that wait (POST)."""
    if not access.is_org_admin:
        raise PermissionDenied(Permission.MANAGE_POLICIES)
    kept = Kept.of(access.org)
    typed = restore(request) if request.method == "GET" else None
    if typed:
        messages.warning(request, str(typed.notice))
    data = request.POST if request.method == "POST" and "do" not in request.POST else typed.typed if typed else None
    plans = [(plan.id, plan.name) for plan in every_plan(access)]
    form = RulesForm(data, rules=kept.weaker or kept.now, plans=plans)
    if request.method == "POST" and (form.is_valid() or not form.is_bound):
        try:
            told = _do(request, access, form)
        except NotChanged as refusal:
            if Demand.FRESH_SIGN_IN in refusal.demanded:
                return to_sign_in_again(request, back_to=request.path, keeps=form.fields)
            messages.error(request, str(refusal.reason))
        else:
            messages.success(request, str(told))
            return redirect("approval-rules", access.org.slug)
    context = {
        "form": form,
        "kept": kept,
        "waits": list(in_words(kept.now, kept.weaker)) if kept.weaker else [],
        "may_let_hold": kept.asked_by != str(access.operator.pk),
    }
    return render(request, "console/policies/approvals.html", context, status=422 if request.method == "POST" else 200)


def _do(request: ConsoleRequest, access: OrgAccess, form: RulesForm) -> object:
    """Do what the pressed button says, and return what to tell. Raises NotChanged."""
    at, address = signed_in_at(request), source_address(request)
    what = request.POST.get("do", "save")
    if what == "let-hold":
        changes.let_hold(access, signed_in_at=at, source_address=address)
        return _HOLDS
    if what == "stop":
        changes.stop(access, signed_in_at=at, source_address=address)
        return _STOPPED
    if not form.is_bound:
        raise PermissionDenied
    saved = changes.change(access, form.rules, signed_in_at=at, source_address=address)
    return _WAITS if saved.weaker else _SAVED
