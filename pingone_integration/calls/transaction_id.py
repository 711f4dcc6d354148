"""The transaction ID (correlation ID) of the work at hand, usually a request: in every log line and call of it."""

from contextlib import AbstractContextManager
from contextvars import ContextVar
from dataclasses import dataclass
from uuid import UUID, uuid4

from pingone_integration.calls.scoped import scoped


@dataclass
class _Transaction:
    id: UUID
    is_taken: bool = False  # a record bears the ID


_current: ContextVar[_Transaction | None] = ContextVar("transaction", default=None)


def begin() -> UUID:
    """Begin a transaction in this thread, and the threads that share its context, until `end`."""
    transaction = _Transaction(uuid4())
    _current.set(transaction)
    return transaction.id


def end() -> None:
    _current.set(None)


def current() -> UUID | None:
    """Return the ID, or None outside of a transaction."""
    transaction = _current.get()
    return transaction.id if transaction else None


def current_or_new() -> UUID:
    return current() or uuid4()


def take() -> UUID:
    """Return an ID for a record: the first record of a transaction has its ID, each further one an ID of its own."""
    transaction = _current.get()
    if transaction is None or transaction.is_taken:
        return uuid4()
    transaction.is_taken = True
    return transaction.id


def within(transaction_id: UUID) -> AbstractContextManager[None]:
    """Use this ID inside the block: that of a record."""
    return scoped(_current, _Transaction(transaction_id, is_taken=True))
