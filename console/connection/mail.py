"""Emails to the org admins about a change of a connection's state: one per change, written with the change."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.failures.next_step import resolution_of
from console.models import Organization
from console.outbox import emails
from console.page.connection_status import in_utc
from pingone_integration.models import Connection, ConnectionEvent
from pingone_integration.texts import Text

NEWS_FOR = timedelta(days=3)

_ADVICE: dict[Connection.State, Text] = {
    Connection.State.CONNECTED: _(
        "If none of you did this, disconnect immediately and change the client secret in PingOne."
    ),
    Connection.State.DISCONNECTED: _(
        "Press Connect to keep working. If none of you did this, see the audit log for who did."
    ),
}


def state_changed(event: ConnectionEvent, **signal: Any) -> None:
    """Receive connection_state_changed, which is sent once per change inside the transaction of the change."""
    organization = Organization.objects.filter(connection=event.connection_id).first()
    if organization is None:
        return
    subject, body = _subject(organization, event), _body(organization, event)
    for admin in organization.org_admins():
        emails.write(
            to=admin.email,
            subject=subject,
            body=body,
            about=f"connection {event.connection_id}",
            worth_for=NEWS_FOR,
            may_repeat=True,
        )


def _subject(organization: Organization, event: ConnectionEvent) -> str:
    text = _("{organization}'s connection to PingOne: {state}")
    return str(format_lazy(text, organization=emails.one_line(organization.name), state=_state(event)))


def _state(event: ConnectionEvent) -> Text:
    """Return the event's state, with the time at which access ends if it does."""
    status = in_utc(event.connection)
    return status.words if status.state == event.state else Connection.State(event.state).label


def _body(organization: Organization, event: ConnectionEvent) -> str:
    context = {
        "organization": emails.one_line(organization.name),
        "state": _state(event),
        "before": event.state_before.label,
        "event": event,
        "cause": emails.one_line(event.cause, 500),
        "advice": _advice(event),
        "url": settings.PUBLIC_URL + reverse("connection", args=[organization.slug]),
    }
    return render_to_string("console/email/connection_state.txt", context)


def _advice(event: ConnectionEvent) -> Text:
    if event.failure and event.state == Connection.State.ENDING:
        text = _("Everything works until then. Reconnect before: {next_step}")
        return format_lazy(text, next_step=resolution_of(event.failure))
    if event.failure and event.state == Connection.State.NEEDS_ATTENTION:
        text = _("The console keeps retrying. If this continues: {next_step}")
        return format_lazy(text, next_step=resolution_of(event.failure))
    if event.failure:
        return resolution_of(event.failure)
    if event.cause:  # a person did it
        return _ADVICE.get(Connection.State(event.state), _("See the page below."))
    return _("Nothing. PingOne is responding again.")
