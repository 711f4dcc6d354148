"""The page Settings > PingOne, for the views that show it, save its form, or end the connection."""

from dataclasses import replace

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.access import ConsoleRequest, OrgAccess
from console.connection.callback_address import redirect_uri
from console.connection.forms import ConnectionForm, Place, understand_place
from console.connection.pending_secret import PendingSecret
from console.connection.settings import change_settings
from console.failures.failure import Failure, explained_url, with_explanation
from console.source_address import source_address
from pingone_integration.connection import authorization
from pingone_integration.connection.regions import api_url_for, region_of
from pingone_integration.errors import PingOneError

HISTORY_LENGTH = 20


def connection_page(
    request: ConsoleRequest, access: OrgAccess, form: ConnectionForm, *, failure: Failure | None = None
) -> HttpResponse:
    """Render the page, with the `failure` of the last Connect at its top."""
    connection = access.org.connection
    if failure and failure.kind:
        failure = replace(failure, explained_url=explained_url(access, failure.kind))
    context = {
        "connection": connection,
        "form": form,
        "failure": failure,
        "redirect_uri": redirect_uri(request),
        "is_awaited": not connection.can_be_renewed and authorization.is_awaited(connection),
        "events": connection.events.all()[:HISTORY_LENGTH],
        **place_context(understand_place(form["auth_url"].value() or "", str(form["environment_id"].value() or ""))),
    }
    failed_now = failure.status if failure and request.method == "POST" else 200
    return render(request, "console/connection/settings.html", context, status=422 if form.errors else failed_now)


def place_context(place: Place) -> dict[str, object]:
    """Return the form's facts about the typed place: its region and API URL."""
    return {
        "place": place,
        "region": region_of(place.auth_url) if place.auth_url else None,
        "api_url": api_url_for(place.auth_url) if place.auth_url else None,
    }


def save_typed(request: ConsoleRequest, access: OrgAccess) -> ConnectionForm:
    """Store a valid form. Keep the valid secret of an invalid form, so that nobody types it twice."""
    connection = access.org.connection
    pending = PendingSecret(request.session, connection)
    form = ConnectionForm(request.POST, connection=connection, secret_is_pending=pending.exists)
    if not form.is_valid():
        if secret := form.cleaned_data.get("client_secret"):
            pending.set(secret)
        return ConnectionForm(request.POST, connection=connection, secret_is_pending=pending.exists)
    unconfirmed = change_settings(
        access,
        form.credentials,
        new_secret=form.cleaned_data["client_secret"] or pending.get(),
        source_address=source_address(request),
    )
    warn_if_unconfirmed(request, access, unconfirmed)
    pending.clear()
    return form


def warn_if_unconfirmed(request: ConsoleRequest, access: OrgAccess, unconfirmed: PingOneError | None) -> None:
    """Warn that tokens are erased here but may still be valid at PingOne."""
    if unconfirmed is None:
        return
    text = _(
        "The tokens were deleted here, but PingOne did not confirm that it revoked them ({reason}). To be sure, end "
        "the administrator's session in PingOne."
    )
    warning = format_lazy(text, reason=unconfirmed.title)
    messages.warning(request, with_explanation(access, warning, unconfirmed.kind))
