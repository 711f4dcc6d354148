"""Successful responses without content where PingOne always sends some: they prove nothing.

A gateway or proxy in front of PingOne can answer 200 by itself. A read then fails. A write is noted here, so that its
caller can decide by the state afterwards: see `collected`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from pingone_integration.calls.scoped import scoped
from pingone_integration.errors import Trace

_noted: ContextVar[list[Trace] | None] = ContextVar("noted", default=None)


@contextmanager
def collected() -> Iterator[list[Trace]]:
    """Collect the empty answers to writes inside the block. Outside of a block, such a write is Unavailable."""
    found: list[Trace] = []
    with scoped(_noted, found):
        yield found


def note(trace: Trace) -> bool:
    """Note an empty answer to a write. Return whether a block collects them."""
    noted = _noted.get()
    if noted is None:
        return False
    noted.append(trace)
    return True
