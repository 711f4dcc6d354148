"""What holds for the work at hand, and for nobody else's."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

T = TypeVar("T")


@contextmanager
def holding(variable: ContextVar[T], value: T) -> Iterator[None]:
    """The variable has the value inside, and the one before it afterwards."""
    before = variable.set(value)
    try:
        yield
    finally:
        variable.reset(before)
