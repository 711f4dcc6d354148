"""How many threads of this process may wait for one connection's PingOne: never so many that none are left for others.

A seat is taken for a whole conversation: the token, its refresh, the calls. Who finds none is told so at once.
"""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock
from uuid import UUID

from django.conf import settings

from pingone_integration.calls import breaker
from pingone_integration.calls.scoped import holding
from pingone_integration.errors import Busy

SLOW_S = 2.0  # a conversation that takes longer: PingOne is slow

_taken: dict[UUID, dict[object, float]] = {}  # by connection; since when, the longest first
_taking = Lock()
_seated: ContextVar[frozenset[UUID]] = ContextVar("seated", default=frozenset())  # at which connections' tables


@contextmanager
def taken(connection_id: UUID) -> Iterator[None]:
    """A seat for what is done inside; inside another one, and in threads that share its context, that same seat.

    Raises Busy.
    """
    if connection_id in _seated.get():
        yield
        return
    seat = object()
    with _taking:
        others = _taken.setdefault(connection_id, {})
        if len(others) >= _most(connection_id, others):
            raise Busy(retry_after_s=2)
        others[seat] = time.monotonic()
    try:
        with holding(_seated, _seated.get() | {connection_id}):
            yield
    finally:
        with _taking:
            del others[seat]
            if not others and _taken.get(connection_id) is others:
                del _taken[connection_id]


def _most(connection_id: UUID, taken: dict[object, float]) -> int:
    """Three quarters of the threads, so that one organization's rush leaves some; one quarter when PingOne is slow."""
    reserve: int = max(1, settings.WEB_THREADS // 4)
    longest = time.monotonic() - next(iter(taken.values()), math.inf)
    slow = longest > SLOW_S or breaker.is_failing(connection_id)
    return reserve if slow else max(1, settings.WEB_THREADS - reserve)
