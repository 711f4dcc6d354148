"""The state of a connection, and the record of every change of it."""

from django.db import transaction
from django.dispatch import Signal
from django.utils import timezone

from pingone_integration.errors import PingOneError
from pingone_integration.models import Connection, ConnectionEvent
from pingone_integration.values import text

# Sent with the ConnectionEvent as `event`, once for each change, for packages that this one does not know.
connection_state_changed = Signal()

GRANTED = (Connection.State.CONNECTED, Connection.State.NEEDS_ATTENTION)


def enter(connection: Connection, state: Connection.State, error: PingOneError | None = None) -> bool:
    """Put the connection into `state` because of `error`; a change is recorded as an event.

    False, and nothing done, when the tokens are no longer those `connection` was read with: newer facts win.
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
    """Keep the change as an event, and tell whoever listens: inside the transaction that changes the state."""
    event = ConnectionEvent.objects.create(connection_id=connection.pk, state=state, kind=kind, cause=text(cause))
    connection_state_changed.send(sender=Connection, event=event)


def cause_of(error: PingOneError) -> str:
    """Return the cause in words, with what PingOne's support asks for."""
    ids = {
        "PingOne's code": error.trace.code,
        "Correlation ID": error.trace.correlation_id,
        "error ID": error.trace.error_id,
    }
    named = ", ".join(f"{label} {value[:100]}" for label, value in ids.items() if value)
    return text(f"{error.cause} ({named})" if named else error.cause)
