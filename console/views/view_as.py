"""Viewing an organization's pages as one of its members does."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from console.access import ConsoleRequest, OrgAccess, Permission, org_view
from console.models import Membership
from console.policies import view_as


@org_view(Permission.MANAGE_MEMBERS)
@require_POST
def start_viewing(request: ConsoleRequest, access: OrgAccess, membership_id: int) -> HttpResponse:
    membership = get_object_or_404(
        Membership.objects.select_related("operator"), organization=access.org, pk=membership_id
    )
    view_as.start(request, access, membership)
    return redirect("organization", access.org.slug)


@org_view(Permission.ENTER)
@require_POST
def stop_viewing(request: ConsoleRequest, access: OrgAccess) -> HttpResponse:
    view_as.stop(request, access)
    return redirect("organization", access.org.slug)
