"""Settings > PingOne: enter credentials, connect, choose the environment, disconnect."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from console.access import ConsoleRequest, OrgAccess, Permission, operator_view, org_view


@org_view(Permission.MANAGE_CONNECTION)
@require_http_methods(["GET", "POST"])
def connection_settings(request: ConsoleRequest, access: OrgAccess) -> HttpResponse:
    return render(request, "console/connection.html")


@operator_view
@require_safe
def callback(request: ConsoleRequest) -> HttpResponse:
    return redirect("home")
