"""The recoveries of users: one by the reference number that a caller reads out, and for org admins how they went."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from console.access import ConsoleRequest, OrgAccess, Permission, org_view
from console.recovery import report
from console.source_address import source_address


@org_view(Permission.VIEW_USERS)
@require_safe
def recoveries(request: ConsoleRequest, access: OrgAccess) -> HttpResponse:
    """Show the attempt with the number `reference`, and to org admins the counts of the last days."""
    typed = request.GET.get("reference", "")
    reference = report.reference_in(typed)
    context = {
        "typed": typed[:50],
        "is_readable": bool(reference) or not typed,
        "found": report.find(access, reference) if reference else None,
        "report": report.report(access.org) if access.allows(Permission.MANAGE_POLICIES) else None,
        "days": report.DAYS,
    }
    return render(request, "console/recoveries/recoveries.html", context)


@org_view(Permission.RECOVER_PASSWORDS)
@require_POST
def release(request: ConsoleRequest, access: OrgAccess, reference: str) -> HttpResponse:
    """Lift the limits of the person behind an attempt, so that they can try again."""
    found = report.find(access, report.reference_in(reference))
    if found is None:
        raise Http404("No such attempt.")
    if report.release(access, found, source_address=source_address(request)):
        messages.success(request, _("Limits lifted. They can start again."))
    else:
        messages.info(request, _("Nothing was changed: no limit counts for them."))
    return redirect(f"{reverse('recoveries', args=[access.org.slug])}?reference={found.attempt.reference}")
