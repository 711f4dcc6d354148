"""The state of a connection, and the record of its changes."""

from django.db import transaction
from django.dispatch import Signal
from django.utils import timezone

from pingone_integration.errors import PingOneError
from pingone_integration.models import Connection, ConnectionEvent
from pingone_integration.texts import english
from pingone_integration.values import text

# Sent once for each change, with the ConnectionEvent as `event`; this package does not know the receivers.
connection_state_changed = Signal()

GRANTED = (Connection.State.CONNECTED, Connection.State.NEEDS_ATTENTION)


def enter(connection: Connection, state: Connection.State, error: PingOneError | None = None) -> bool:
    """Set the connection's state because of `error`, and record a change as an event.

    Does nothing and returns False if the tokens have changed since `connection` was read (optimistic locking).
    """
    about = {"state_kind": error.kind if error else "", "state_cause": cause_of(error) if error else ""}
    same_tokens = Connection.objects.filter(pk=connection.pk, token_version=connection.token_version)
    with transaction.atomic():
        changed = same_tokens.exclude(state=state).update(state=state, state_changed_at=timezone.now(), **about)
        if changed:
            record(connection, state, kind=about["state_kind"], cause=about["state_cause"])
            return True
        return bool(same_tokens.update(**about))


def record(connection: Connection, state: Connection.State, *, kind: str = "", cause: str = "") -> None:
    """Store the change as an event, and send the signal: inside the transaction that changes the state."""
    event = ConnectionEvent.objects.create(connection_id=connection.pk, state=state, kind=kind, cause=text(cause))
    connection_state_changed.send(sender=Connection, event=event)


def cause_of(error: PingOneError) -> str:
    """Return the cause in English, with the IDs for PingOne's support."""
    ids = {
        "PingOne's code": error.trace.code,
        "Correlation ID": error.trace.correlation_id,
        "error ID": error.trace.error_id,
    }
    named = ", ".join(f"{label} {value[:100]}" for label, value in ids.items() if value)
    cause = english(error.cause)
    return text(f"{cause} ({named})" if named else cause)
