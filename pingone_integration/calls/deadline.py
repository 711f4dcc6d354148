"""The deadline of the work at hand: how long it may wait for PingOne. A command has none."""

import math
import time
from contextlib import AbstractContextManager
from contextvars import ContextVar

from pingone_integration.calls.scoped import scoped
from pingone_integration.errors import OutOfTime

_ends: ContextVar[float | None] = ContextVar("ends", default=None)  # by time.monotonic(); None: no deadline


def within(seconds: float) -> AbstractContextManager[None]:
    """All that is done inside, waits included, together takes no longer than this."""
    return scoped(_ends, time.monotonic() + at_most(seconds))


def at_least(seconds: float) -> AbstractContextManager[None]:
    """So much time there is inside, even when the deadline is near or over."""
    now_left = left()
    return scoped(_ends, None if now_left is None else time.monotonic() + max(now_left, seconds))


def lifted() -> AbstractContextManager[None]:
    """For a request that changes something: cutting it off would only hide whether it did. Its own timeouts hold."""
    return scoped(_ends, None)


def left() -> float | None:
    """Seconds; not positive: it is over. None: there is no deadline."""
    ends = _ends.get()
    return None if ends is None else ends - time.monotonic()


def at_most(seconds: float) -> float:
    """`seconds`, or what is left if that is less; never negative."""
    now_left = left()
    return seconds if now_left is None else max(0.0, min(seconds, now_left))


def allows(seconds: float) -> bool:
    """Whether a pause of this length is worth making."""
    now_left = left()
    return seconds < math.inf if now_left is None else seconds < now_left


def require_time() -> None:
    """Raises OutOfTime: then nothing more is asked."""
    if at_most(1) <= 0:
        raise OutOfTime
