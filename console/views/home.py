"""The pages after sign-in: the choice among several organizations, and an organization's first page."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from console.access import ConsoleRequest, OrgAccess, Permission, operator_view, org_view
from console.approvals.listing import count_to_decide
from console.users import sent_resets
from pingone_integration import population_sync


@operator_view
@require_safe
def home(request: ConsoleRequest) -> HttpResponse:
    """Redirect to the operator's only organization, or show a chooser."""
    memberships = list(
        request.user.memberships.filter(suspended_at=None)
        .select_related("organization", "custom_role")
        .order_by("organization__name")
    )
    if len(memberships) == 1:
        return redirect("organization", memberships[0].organization.slug)
    return render(request, "console/home/chooser.html", {"memberships": memberships})


@org_view(Permission.ENTER)
@require_safe
def organization(request: ConsoleRequest, access: OrgAccess) -> HttpResponse:
    context: dict[str, object] = {"may_view_users": access.allows(Permission.VIEW_USERS)}
    if access.allows(Permission.VIEW_USERS):
        context["to_approve"] = count_to_decide(access)
    if access.is_narrowed:
        found = population_sync.synced(access.org.connection)
        context["populations"] = [one for one in found if access.sees_population(one.population_id)]
    if rows := sent_resets.rows_of(access):
        context["sent"] = sent_resets.sent_lately(access, rows)
    return render(request, "console/home/organization.html", context)
