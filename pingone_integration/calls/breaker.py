"""The circuit breaker of a connection: after repeated failures of PingOne, calls are paused.

A paused call fails at once, and says when the pause ends.

Each process counts its failures in a row. The pause is two columns of the row that every call reads. After the pause,
one caller of all processes makes a trial call (half-open): a response ends the pause, a failure starts a longer pause.
Failures at the token endpoint do not count here: they have their own cool-down, see connection/tokens.py.
"""

import logging
from collections import Counter
from contextlib import AbstractContextManager
from contextvars import ContextVar
from datetime import timedelta
from threading import Lock
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from pingone_integration import errors
from pingone_integration.calls import connection_states
from pingone_integration.calls.scoped import scoped
from pingone_integration.errors import CallsPaused, PingOneError
from pingone_integration.metrics import NOT_SENT, PAUSES
from pingone_integration.models import Connection

logger = logging.getLogger(__name__)

IN_A_ROW = 5
PAUSE_S = 5
LONGEST_PAUSE_S = 60
_CALLED = (*connection_states.GRANTED, Connection.State.ENDING)
TRIAL = timedelta(seconds=20)  # for the trial call: longer than a call takes, and expires if the caller dies

_failures: Counter[UUID] = Counter()  # failures in a row by connection, in this process
_counting = Lock()
_asks_while_paused = ContextVar("asks_while_paused", default=False)


def even_while_paused() -> AbstractContextManager[None]:
    """Let calls pass during a pause. For connection checks: a response to them ends the pause."""
    return scoped(_asks_while_paused, True)


def let_pass(row: Connection) -> bool:
    """Return whether the call may end a pause; False if there is no pause. Raises CallsPaused.

    `row` must be freshly read, and the call has to follow.
    """
    until = row.calls_paused_until
    if until is None:
        return False
    if _asks_while_paused.get():
        return True
    now = timezone.now()
    if until <= now:
        # After the pause, exactly one caller gets through.
        mine = Connection.objects.filter(pk=row.pk, calls_paused_until=until)
        if mine.update(calls_paused_until=now + TRIAL):
            return True
        row = Connection.objects.get(pk=row.pk)
        until = row.calls_paused_until or now
    last = errors.of_kind(row.calls_failing_kind or row.state_kind, otherwise=errors.Unavailable)
    NOT_SENT.labels("paused").inc()
    raise CallsPaused(last=last.title, seconds=max(1, round((until - now).total_seconds())), until=until)


def is_failing(connection_id: UUID) -> bool:
    """Return whether the last call of this process failed."""
    return connection_id in _failures


def answered(connection_id: UUID, *, tried: bool) -> None:
    """Record a response of PingOne. `tried` is the result of `let_pass` for the call."""
    if connection_id in _failures:
        with _counting:
            _failures.pop(connection_id, None)
    if tried:
        _resume(connection_id)


def failed(connection_id: UUID, error: PingOneError, *, tried: bool) -> None:
    """Count a call without a response, or with a response of an overloaded PingOne."""
    if _asks_while_paused.get():
        return  # checks that look for the cause must not make the pause longer
    with _counting:
        _failures[connection_id] += 1
        enough = _failures[connection_id] % IN_A_ROW == 0
    if tried:
        _pause(connection_id, error, again=True)
    elif enough:
        _pause(connection_id, error, again=False)


def _pause(connection_id: UUID, error: PingOneError, *, again: bool) -> None:
    """Pause the calls. If several processes do so, the pause of the first counts."""
    row = Connection.objects.get(pk=connection_id)
    seconds = min(max(PAUSE_S, 2 * row.calls_paused_s), LONGEST_PAUSE_S) if again else PAUSE_S
    until = timezone.now() + timedelta(seconds=seconds)
    with transaction.atomic():
        granted = Connection.objects.filter(pk=connection_id, calls_paused_until__isnull=not again, state__in=_CALLED)
        if granted.update(calls_paused_until=until, calls_paused_s=seconds):
            PAUSES.inc()
            logger.warning("Connection %s: calls are paused for %s s: %s", connection_id, seconds, error.kind)
            if row.state != Connection.State.ENDING:  # which says more
                connection_states.enter(row, Connection.State.NEEDS_ATTENTION, error)


def _resume(connection_id: UUID) -> None:
    with transaction.atomic():
        paused = Connection.objects.filter(pk=connection_id, calls_paused_until__isnull=False)
        if paused.update(calls_paused_until=None, calls_paused_s=0):
            logger.info("Connection %s: PingOne answers again", connection_id)
            row = Connection.objects.get(pk=connection_id)
            if row.state == Connection.State.NEEDS_ATTENTION:
                connection_states.enter(row, Connection.State.CONNECTED)
