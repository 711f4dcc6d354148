"""The deadline of a request: how long it may wait for PingOne. A command has no deadline."""

import math
import time
from contextlib import AbstractContextManager
from contextvars import ContextVar

from pingone_integration.calls.scoped import scoped
from pingone_integration.errors import OutOfTime

_ends: ContextVar[float | None] = ContextVar("ends", default=None)  # by time.monotonic(); None if there is no deadline


def within(seconds: float) -> AbstractContextManager[None]:
    """Set the deadline of the block, in seconds from now. An earlier deadline stays."""
    return scoped(_ends, time.monotonic() + at_most(seconds))


def at_least(seconds: float) -> AbstractContextManager[None]:
    """Give the block at least so many seconds, even if the deadline is near or over."""
    now_left = left()
    return scoped(_ends, None if now_left is None else time.monotonic() + max(now_left, seconds))


def lifted() -> AbstractContextManager[None]:
    """Lift the deadline for a write: cutting it off would only hide its outcome. Its own timeouts still apply."""
    return scoped(_ends, None)


def left() -> float | None:
    """Return the seconds left (0 or less: over), or None if there is no deadline."""
    ends = _ends.get()
    return None if ends is None else ends - time.monotonic()


def at_most(seconds: float) -> float:
    """Return `seconds` or the time left, whichever is less; never negative."""
    now_left = left()
    return seconds if now_left is None else max(0.0, min(seconds, now_left))


def allows(seconds: float) -> bool:
    """Return whether a wait of this length ends in time."""
    now_left = left()
    return seconds < math.inf if now_left is None else seconds < now_left


def require_time() -> None:
    """Raise OutOfTime if the deadline is over."""
    if at_most(1) <= 0:
        raise OutOfTime
