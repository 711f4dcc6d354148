"""Settings > PingOne: the application's credentials, the connection's state, and Disconnect."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from console.access import ConsoleRequest, OrgAccess, Permission, org_view
from console.connection.forms import ConnectionForm, understand_place
from console.connection.page import connection_page, place_context, save_typed, warn_if_unconfirmed
from console.connection.pending_secret import PendingSecret
from console.connection.settings import end_access, record_event
from console.failures.connect import restore_failure
from console.kept_forms import restore
from console.source_address import source_address
from pingone_integration.models import Connection
from pingone_integration.typed.text import clean


@org_view(Permission.MANAGE_CONNECTION)
@require_http_methods(["GET", "POST"])
def connection_settings(request: ConsoleRequest, access: OrgAccess) -> HttpResponse:
    """Show the connection's state, or save the settings of the PingOne application."""
    connection = access.org.connection
    if request.method != "POST":
        pending = PendingSecret(request.session, connection)
        typed = {}
        if kept := restore(request):
            typed = kept.typed.dict()
            told = _("{notice} A client secret is not kept: if you entered one, enter it again.")
            messages.warning(request, format_lazy(told, notice=kept.notice))
        form = ConnectionForm(connection=connection, secret_is_pending=pending.exists, typed=typed)
        return connection_page(request, access, form, failure=restore_failure(request.session, connection))
    form = save_typed(request, access)
    if form.errors:
        return connection_page(request, access, form)
    messages.success(request, _("Saved the PingOne settings."))
    return redirect("connection", access.org.slug)


@org_view(Permission.MANAGE_CONNECTION)
@require_safe
def connection_place(request: ConsoleRequest, access: OrgAccess) -> HttpResponse:
    """Show the region behind an Auth URL and Environment ID during typing."""
    auth_url, environment_id = request.GET.get("auth_url", ""), request.GET.get("environment_id", "")
    place = understand_place(auth_url, environment_id)
    context = {**place_context(place), "mistakes": place.mistakes.values()}  # the full page shows them at the fields
    if place.environment_id and not clean(environment_id):
        field = ConnectionForm(connection=Connection(environment_id=place.environment_id))["environment_id"]
        context["filled_in"] = field.as_widget(attrs={"hx-swap-oob": "true"})
    return render(request, "console/connection/credentials.html#place", context)


@org_view(Permission.MANAGE_CONNECTION)
@require_http_methods(["GET", "POST"])
def disconnect(request: ConsoleRequest, access: OrgAccess) -> HttpResponse:
    """Ask (GET), then erase the tokens here and revoke them at PingOne (POST)."""
    connection = access.org.connection
    if not connection.has_tokens:
        return redirect("connection", access.org.slug)
    if request.method != "POST":
        return render(request, "console/connection/disconnect.html", {"connection": connection})
    warn_if_unconfirmed(request, access, end_access(connection))
    record_event(access, "connection.disconnected", source_address=source_address(request))
    messages.success(request, format_lazy(_("Disconnected {organization} from PingOne."), organization=access.org.name))
    return redirect("connection", access.org.slug)
