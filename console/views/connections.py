"""Settings > PingOne: the credentials of the application, where the connection stands, and its end."""

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from console.access import ConsoleRequest, OrgAccess, Permission, org_view
from console.audit import entries
from console.audit.entries import Subject
from console.connection.callback_address import redirect_uri
from console.connection.forms import ConnectionForm, Place, understand_place
from console.connection.pending_secret import PendingSecret
from console.failures.connect import restore_failure
from console.failures.failure import Failure, explained_url, with_explanation
from console.models import AuditEntry
from console.source_address import source_address
from pingone_integration.connection import authorization, credentials
from pingone_integration.connection.credentials import Credentials
from pingone_integration.connection.regions import api_url_for, region_of
from pingone_integration.errors import PingOneError
from pingone_integration.models import Connection

HISTORY_LENGTH = 20


@org_view(Permission.MANAGE_CONNECTION)
@require_http_methods(["GET", "POST"])
def connection_settings(request: ConsoleRequest, access: OrgAccess) -> HttpResponse:
    """Show where the connection stands, or save what was typed about the PingOne application."""
    connection = access.org.connection
    if request.method != "POST":
        pending = PendingSecret(request.session, connection)
        form = ConnectionForm(connection=connection, secret_is_pending=pending.exists)
        return connection_page(request, access, form, failure=restore_failure(request.session, connection))
    form = save_typed(request, access)
    if form.errors:
        return connection_page(request, access, form)
    messages.success(request, "Saved.")
    return redirect("connection", access.org.slug)


def save_typed(request: ConsoleRequest, access: OrgAccess) -> ConnectionForm:
    """Store a form without mistakes; of one with mistakes, keep a good secret, so that nobody types it twice."""
    connection = access.org.connection
    pending = PendingSecret(request.session, connection)
    form = ConnectionForm(request.POST, connection=connection, secret_is_pending=pending.exists)
    if not form.is_valid():
        if secret := form.cleaned_data.get("client_secret"):
            pending.set(secret)
        return ConnectionForm(request.POST, connection=connection, secret_is_pending=pending.exists)
    change_settings(request, access, form.credentials, new_secret=form.cleaned_data["client_secret"] or pending.get())
    pending.clear()
    return form


def change_settings(
    request: ConsoleRequest, access: OrgAccess, entered: Credentials, *, new_secret: str | None = None
) -> None:
    """Store and put on record what is good; an access that belongs to another application or place ends first."""
    connection = access.org.connection
    before = _settings_of(connection)
    if credentials.would_end_access(connection, entered):
        end_access(request, access)
    credentials.store(connection, entered, client_secret=new_secret)
    after = _settings_of(connection)
    if before != after or new_secret:
        replaced = {"client_secret_replaced": bool(new_secret)}
        put_on_record(request, access, "connection.settings-changed", before=before, after=after, inputs=replaced)


def _settings_of(connection: Connection) -> dict[str, Any]:
    """What an org admin enters, without the secret."""
    names = ("client_id", "auth_url", "environment_id", "client_authentication")
    return {name: getattr(connection, name) for name in names}


def put_on_record(request: ConsoleRequest, access: OrgAccess, event: str, **more: Any) -> None:
    """An event of the organization's connection in the audit log; `more` as audit.record() takes it."""
    connection = Subject(kind=AuditEntry.Subject.CONNECTION, id=access.org.connection.pk, name=access.org.name)
    entries.record(
        access.org,
        event,
        operator=access.operator,
        subject=connection,
        source_address=source_address(request),
        **more,
    )


def end_access(request: ConsoleRequest, access: OrgAccess) -> None:
    """Erase the tokens here; that PingOne would not revoke them is told, and is no reason to keep them."""
    try:
        authorization.disconnect(access.org.connection)
    except PingOneError as error:
        told = (
            f"The tokens are erased here, but PingOne did not confirm that it revoked them ({error.title}). "
            "To be certain, end the administrator's session in PingOne."
        )
        messages.warning(request, with_explanation(access, told, error.kind))


def connection_page(
    request: ConsoleRequest, access: OrgAccess, form: ConnectionForm, *, failure: Failure | None = None
) -> HttpResponse:
    """`failure`: why the last Connect did not succeed, told on top."""
    connection = access.org.connection
    if failure and failure.kind:
        failure = replace(failure, explained_url=explained_url(access, failure.kind))
    context = {
        "connection": connection,
        "form": form,
        "failure": failure,
        "redirect_uri": redirect_uri(),
        "is_awaited": authorization.is_awaited(connection),
        "events": connection.events.all()[:HISTORY_LENGTH],
        **_place_context(understand_place(form["auth_url"].value() or "", str(form["environment_id"].value() or ""))),
    }
    failed_now = failure.status if failure and request.method == "POST" else 200
    return render(request, "console/connection/settings.html", context, status=422 if form.errors else failed_now)


@org_view(Permission.MANAGE_CONNECTION)
@require_safe
def connection_place(request: ConsoleRequest, access: OrgAccess) -> HttpResponse:
    """What an Auth URL and Environment ID stand for, while they are typed."""
    auth_url, environment_id = request.GET.get("auth_url", ""), request.GET.get("environment_id", "")
    place = understand_place(auth_url, environment_id)
    context = {**_place_context(place), "mistakes": place.mistakes.values()}  # on the page, they stand at the fields
    if place.environment_id and not environment_id.strip():
        field = ConnectionForm(connection=Connection(environment_id=place.environment_id))["environment_id"]
        context["filled_in"] = field.as_widget(attrs={"hx-swap-oob": "true"})
    return render(request, "console/connection/credentials.html#place", context)


def _place_context(place: Place) -> dict[str, object]:
    return {
        "place": place,
        "region": region_of(place.auth_url) if place.auth_url else None,
        "api_url": api_url_for(place.auth_url) if place.auth_url else None,
    }


@org_view(Permission.MANAGE_CONNECTION)
@require_http_methods(["GET", "POST"])
def disconnect(request: ConsoleRequest, access: OrgAccess) -> HttpResponse:
    """Ask (GET), then revoke the tokens at PingOne and erase them here (POST)."""
    connection = access.org.connection
    if not connection.has_tokens:
        return redirect("connection", access.org.slug)
    if request.method != "POST":
        return render(request, "console/connection/disconnect.html", {"connection": connection})
    end_access(request, access)
    put_on_record(request, access, "connection.disconnected")
    messages.success(request, f"{access.org.name} is disconnected from PingOne.")
    return redirect("connection", access.org.slug)
