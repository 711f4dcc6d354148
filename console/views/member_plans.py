"""The plans that a member started: whoever removes or suspends them takes the plans over, or cancels them."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy
from django.views.decorators.http import require_http_methods

from console.access import ConsoleRequest, OrgAccess, Permission, org_view
from console.audit.entries import Circumstances
from console.models import Membership
from console.plans.overview import Overview
from console.plans.take_over import change_several, open_runs_of
from console.sessions.fresh import signed_in_at
from console.source_address import source_address

_LEFT = _("The others need rights that you do not have, or are over.")


@org_view(Permission.MANAGE_MEMBERS)
@require_http_methods(["GET", "POST"])
def member_plans(request: ConsoleRequest, access: OrgAccess, membership_id: int) -> HttpResponse:
    """Show the open plans that the member started (GET); take over or cancel those that are ticked (POST)."""
    found = Membership.objects.select_related("operator").filter(organization=access.org)
    membership = get_object_or_404(found, pk=membership_id)
    if request.method != "POST":
        listed = [Overview(run) for run in open_runs_of(access, membership.operator)]
        return render(request, "console/operators/plans.html", {"membership": membership, "runs": listed})
    ticked = open_runs_of(access, membership.operator, set(request.POST.getlist("runs")))
    now = Circumstances(source_address=source_address(request), signed_in_at=signed_in_at(request))
    do = "cancel" if request.POST.get("do") == "cancel" else "take-over"
    count = change_several(access, ticked, do, now)
    told = (
        ngettext_lazy("Canceled {count} plan.", "Canceled {count} plans.", count)
        if do == "cancel"
        else ngettext_lazy("You took over {count} plan.", "You took over {count} plans.", count)
    )
    messages.success(request, format_lazy(told, count=count))
    if count < len(ticked):
        messages.warning(request, _LEFT)
    return redirect("member-plans", access.org.slug, membership.pk)
