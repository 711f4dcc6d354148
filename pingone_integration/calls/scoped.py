"""Context variables that have a value inside a `with` block, for this thread or task and for nobody else."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

T = TypeVar("T")


@contextmanager
def scoped(variable: ContextVar[T], value: T) -> Iterator[None]:
    """Give the variable a value inside the block, and the one before it afterwards."""
    before = variable.set(value)
    try:
        yield
    finally:
        variable.reset(before)
