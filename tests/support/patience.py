"""A limit on how long a test waits for another process: a read of its output and a wait for its end have none."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Timer

import pytest

PATIENCE_S = 60.0


@contextmanager
def patience(kill: Callable[[], object], awaited: str, *, seconds: float = PATIENCE_S) -> Iterator[None]:
    """Fail if the block takes longer. `kill` ends the process that it waits for, so that the wait is over."""
    over = Event()

    def lose() -> None:
        over.set()
        kill()

    timer = Timer(seconds, lose)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        if over.is_set():
            pytest.fail(f"{awaited} took more than {seconds:g} s, and was killed.")
