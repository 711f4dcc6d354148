"""The concurrency limit (bulkhead) of a connection: how many threads of this process may wait for its PingOne.

It binds while other organizations work too, so that a slow PingOne of one never takes the threads of another. An
organization that works alone may use nearly all threads. A slot covers a whole conversation: the token, its refresh,
the calls. Who finds no free slot waits in line for a moment; Busy is raised if none gets free in time.
"""

import math
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from threading import Condition
from uuid import UUID

from django.conf import settings

from pingone_integration.calls import breaker, deadline
from pingone_integration.calls.database import give_back
from pingone_integration.calls.scoped import scoped
from pingone_integration.errors import Busy
from pingone_integration.metrics import NOT_SENT

SLOW_S = 2.0  # PingOne counts as slow if a conversation takes longer
HANGING_S = 4.0  # by then, waiting for a slot is of no use
LONGEST_WAIT_S = 3.0  # for a slot
ACTIVE_S = 60.0  # an organization counts as working for this long after its last conversation
RETRY_AFTER_S = 2


@dataclass
class _Line:
    """The threads of one connection: those with a slot, oldest first, and those in line for one."""

    since: dict[object, float] = field(default_factory=dict)
    waiting: deque[object] = field(default_factory=deque)

    def longest(self, now: float) -> float:
        return now - next(iter(self.since.values()), math.inf)


_lines: dict[UUID, _Line] = {}
_worked: dict[UUID, float] = {}  # by connection: start or end of its last conversation, newest last
_changed = Condition()  # guards all of this
_holding: ContextVar[frozenset[UUID]] = ContextVar("holding", default=frozenset())  # connections whose slot is held


@contextmanager
def slot(connection_id: UUID) -> Iterator[None]:
    """Hold a slot of the concurrency limit. Raises Busy.

    Re-entrant: nested blocks, and threads that share the context, share the slot.
    """
    if connection_id in _holding.get():
        yield
        return
    mine = object()
    with _changed:
        line = _lines.setdefault(connection_id, _Line())
        try:
            _wait_in_line(connection_id, line, mine)
            line.since[mine] = _note(connection_id)
        finally:
            _forget_if_empty(connection_id)
    try:
        with scoped(_holding, _holding.get() | {connection_id}):
            yield
    finally:
        with _changed:
            del line.since[mine]
            _note(connection_id)
            _forget_if_empty(connection_id)
            _changed.notify_all()


def _wait_in_line(connection_id: UUID, line: _Line, mine: object) -> None:
    """Return once a slot is free and everybody before has got one. Raises Busy."""
    until = time.monotonic() + deadline.at_most(LONGEST_WAIT_S)
    line.waiting.append(mine)
    try:
        while line.waiting[0] is not mine or len(line.since) >= _most(connection_id, line):
            patience = min(until - time.monotonic(), HANGING_S - line.longest(time.monotonic()))
            if patience <= 0 or breaker.is_failing(connection_id) or not _may_wait(connection_id, line, mine):
                NOT_SENT.labels("busy").inc()
                raise Busy(retry_after_s=RETRY_AFTER_S)
            give_back()
            _changed.wait(patience)
    finally:
        line.waiting.remove(mine)
        _changed.notify_all()


def _most(connection_id: UUID, line: _Line) -> int:
    """Return how many slots the connection may have now."""
    threads: int = settings.WEB_THREADS
    if not _others_work(connection_id):
        return threads - max(1, threads // 16)  # others must be able to come in
    reserve = max(1, threads // 4)
    slow = line.longest(time.monotonic()) > SLOW_S or breaker.is_failing(connection_id)
    return reserve if slow else max(1, threads - reserve)


def _may_wait(connection_id: UUID, line: _Line, mine: object) -> bool:
    """Return whether a thread in line leaves enough threads to others: one that waits serves nobody."""
    threads: int = settings.WEB_THREADS
    room = threads - max(1, threads // 8) if _others_work(connection_id) else threads
    return len(line.since) + line.waiting.index(mine) < room


def _others_work(connection_id: UUID) -> bool:
    """Return whether another organization has a conversation, or had one lately."""
    earliest = time.monotonic() - ACTIVE_S
    latest = next(((other, at) for other, at in reversed(_worked.items()) if other != connection_id), None)
    return (latest is not None and latest[1] >= earliest) or any(
        other != connection_id and line.since for other, line in _lines.items()
    )


def _note(connection_id: UUID) -> float:
    """Note that the connection works now, and return the time."""
    _worked.pop(connection_id, None)
    _worked[connection_id] = now = time.monotonic()
    return now


def _forget_if_empty(connection_id: UUID) -> None:
    line = _lines.get(connection_id)
    if line and not line.since and not line.waiting:
        del _lines[connection_id]
