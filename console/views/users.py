"""Finding users and seeing one."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from console.access import ConsoleRequest, OrgAccess, Permission, org_view


@org_view(Permission.VIEW_USERS)
@require_safe
def user_list(request: ConsoleRequest, access: OrgAccess) -> HttpResponse:
    return render(request, "console/users.html")


@org_view(Permission.VIEW_USERS)
@require_safe
def user(request: ConsoleRequest, access: OrgAccess, user_id: UUID) -> HttpResponse:
    return render(request, "console/user.html")
