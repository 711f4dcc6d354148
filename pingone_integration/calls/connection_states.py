"""The state of a connection, which calls find out, and the record of its changes."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

from django.db import transaction
from django.dispatch import Signal
from django.utils import timezone

from pingone_integration.errors import PingOneError
from pingone_integration.models import Connection, ConnectionEvent
from pingone_integration.texts import english
from pingone_integration.values import text

# Sent once for each change, with the ConnectionEvent as `event`; this package does not know the receivers.
connection_state_changed = Signal()

GRANTED = (Connection.State.CONNECTED, Connection.State.NEEDS_ATTENTION)  # the grant is not known to be dead


_changes: ContextVar[set[UUID] | None] = ContextVar("changes", default=None)


@contextmanager
def watched() -> Iterator[set[UUID]]:
    """Collect the connections whose row says something else since a call inside the block, also in its threads."""
    found: set[UUID] = set()
    before = _changes.set(found)
    try:
        yield found
    finally:
        _changes.reset(before)


def mark_changed(connection_id: UUID) -> None:
    """Tell the block around, if any, that rows read before say something else now."""
    changes = _changes.get()
    if changes is not None:
        changes.add(connection_id)


def enter(connection: Connection, state: Connection.State, error: PingOneError | None = None) -> bool:
    """Set the connection's state because of `error`, and record a change as an event.

    Does nothing and returns False if the tokens have changed since `connection` was read (optimistic locking).
    """
    return _enter(connection, state, kind=error.kind if error else "", cause=cause_of(error) if error else "")


def end(connection: Connection) -> bool:
    """Record that the access token of an ending connection is not good any more, for the cause that is stored."""
    kind, cause = connection.state_kind, connection.state_cause
    return _enter(connection, Connection.State.RECONNECT_NEEDED, kind=kind, cause=cause)


def _enter(connection: Connection, state: Connection.State, *, kind: str, cause: str) -> bool:
    about = {"state_kind": kind, "state_cause": cause}
    same_tokens = Connection.objects.filter(pk=connection.pk, token_version=connection.token_version)
    with transaction.atomic():
        changed = same_tokens.exclude(state=state).update(state=state, state_changed_at=timezone.now(), **about)
        mark_changed(connection.pk)
        if changed:
            record(connection, state, kind=kind, cause=cause)
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
