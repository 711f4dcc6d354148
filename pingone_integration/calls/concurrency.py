"""The concurrency limit (bulkhead) of a connection: how many threads of this process may wait for its PingOne.

It leaves threads to other connections. A slot covers a whole conversation: the token, its refresh, the calls. If all
slots are in use, Busy is raised at once.
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
from pingone_integration.calls.scoped import scoped
from pingone_integration.errors import Busy

SLOW_S = 2.0  # PingOne counts as slow if a conversation takes longer

_in_use: dict[UUID, dict[object, float]] = {}  # by connection: start of each slot, oldest first
_taking = Lock()
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
    with _taking:
        others = _in_use.setdefault(connection_id, {})
        if len(others) >= _most(connection_id, others):
            raise Busy(retry_after_s=2)
        others[mine] = time.monotonic()
    try:
        with scoped(_holding, _holding.get() | {connection_id}):
            yield
    finally:
        with _taking:
            del others[mine]
            if not others and _in_use.get(connection_id) is others:
                del _in_use[connection_id]


def _most(connection_id: UUID, in_use: dict[object, float]) -> int:
    """Return 3/4 of the threads, to leave some to other organizations; 1/4 if PingOne is slow or failing."""
    reserve: int = max(1, settings.WEB_THREADS // 4)
    longest = time.monotonic() - next(iter(in_use.values()), math.inf)
    slow = longest > SLOW_S or breaker.is_failing(connection_id)
    return reserve if slow else max(1, settings.WEB_THREADS - reserve)
