"""Settings > Policies > Lock down: the switch that stops whatever gives access."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from console.access import ConsoleRequest, OrgAccess, Permission, org_view
from console.actions.catalogue import ACTIONS
from console.actions.demands import Demand
from console.kept_forms import restore
from console.policies.forms import LockDownForm
from console.policies.lock_down import Refused, switch
from console.responses import to_sign_in_again
from console.sessions.fresh import signed_in_at
from console.source_address import source_address


@org_view(Permission.MANAGE_POLICIES)
@require_http_methods(["GET", "POST"])
def lock_down(request: ConsoleRequest, access: OrgAccess) -> HttpResponse:
    """Show the switch (GET), or turn it (POST, with `on` as 1 or 0)."""
    if request.method != "POST":
        kept = restore(request)
        if kept:
            messages.warning(request, str(kept.notice))
        return _page(request, LockDownForm(initial={"reason": kept.typed.get("reason", "")} if kept else None))
    form = LockDownForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    on = request.POST.get("on") == "1"
    try:
        changed = switch(
            access,
            on=on,
            reason=form.cleaned_data["reason"],
            signed_in_at=signed_in_at(request),
            source_address=source_address(request),
        )
    except Refused as refused:
        if Demand.FRESH_SIGN_IN in refused.demands:
            return to_sign_in_again(request, back_to=request.path, keeps=form.fields)
        form.add_error(None, str(refused.reason))
        return _page(request, form, status=403)
    if not changed:
        messages.info(request, _("Nothing was changed: someone else was faster."))
    elif on:
        messages.success(request, _("Locked down. Nothing that gives access can be done until an org admin ends it."))
    else:
        messages.success(request, _("The lock down has ended."))
    return redirect("policies", access.org.slug)


def _page(request: ConsoleRequest, form: LockDownForm, *, status: int = 200) -> HttpResponse:
    context = {
        "form": form,
        "stopped": [action.name for action in ACTIONS if action.may_give_access],
        "continuing": [action.name for action in ACTIONS if not action.may_give_access],
    }
    return render(request, "console/policies/lock_down.html", context, status=status)
