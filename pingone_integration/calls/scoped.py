"""Context variables with a value inside a `with` block, for the current thread or task only."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

T = TypeVar("T")


@contextmanager
def scoped(variable: ContextVar[T], value: T) -> Iterator[None]:
    """Set a context variable inside a with block, and restore it afterwards."""
    before = variable.set(value)
    try:
        yield
    finally:
        variable.reset(before)
