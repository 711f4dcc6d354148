"""The last call to PingOne, as far as it shows that PingOne or the roles fail: a connection that fails is not well.

Two columns of the row that every call reads: a call writes only if it ends otherwise than the call before it.
"""

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar

import httpx
from django.utils import timezone

from pingone_integration.calls import connection_states
from pingone_integration.calls.failed_calls import without_ids
from pingone_integration.calls.gate import Permit
from pingone_integration.calls.scoped import scoped
from pingone_integration.calls.transport import AnswerTooLarge
from pingone_integration.errors import (
    Blocked,
    ConnectionFailure,
    MissingPermission,
    OutOfTime,
    PingOneError,
    TokenRejected,
    Unavailable,
)
from pingone_integration.models import Connection

logger = logging.getLogger(__name__)

_NOT_WORKING = (ConnectionFailure, Unavailable, TokenRejected)
_NO_ROLE = (MissingPermission, Blocked)
_NO_ROLE_KINDS = frozenset(error.kind for error in _NO_ROLE)
_OUR_OWN = (httpx.PoolTimeout, AnswerTooLarge)  # causes that say nothing about PingOne
# A refusal of these reads means that the roles are gone. Another refusal only means that there are few.
_EVERYDAY_READS = frozenset({"GET /users", "GET /users/{id}"})
_noted_later = ContextVar("noted_later", default=False)


@contextmanager
def noted(permit: Permit, call: str) -> Iterator[None]:
    """Note how the block's call (method and path) ends."""
    try:
        yield
    except PingOneError as error:
        note(permit, call, error)
        raise
    note(permit, call, None)


def noted_later() -> AbstractContextManager[None]:
    """Note nothing in the block, which runs in a thread without a database connection: the caller notes."""
    return scoped(_noted_later, True)


def note_together(permit: Permit, errors: list[PingOneError | None]) -> None:
    """Note the ends of several calls made at once, with None for a success: a failure counts more."""
    failure = next((error for error in errors if error and _shows_failure(_call_of(error), error)), None)
    note(permit, _call_of(failure) if failure else "", failure)


def note(permit: Permit, call: str | None, error: PingOneError | None) -> None:
    """Note the end of a call. Never raises: it must not hide the call's own result."""
    if _noted_later.get():
        return
    try:
        _note(permit, without_ids(call or ""), error)
    except Exception:
        logger.exception("The last call of connection %s could not be noted", permit.connection_id)


def _note(permit: Permit, call: str, error: PingOneError | None) -> None:
    before = permit.failing_kind
    if error and _shows_failure(call, error):
        if error.kind != before:
            _store(permit, error.kind)
    elif before and (error is None or error.trace.status is not None):
        still_without_role = before in _NO_ROLE_KINDS and not (error is None and call in _EVERYDAY_READS)
        if not still_without_role:
            _store(permit, "")


def _call_of(error: PingOneError) -> str:
    return without_ids(error.trace.call or "")


def _shows_failure(call: str, error: PingOneError) -> bool:
    if isinstance(error, _NO_ROLE):
        return call in _EVERYDAY_READS
    of_the_call = (error.trace.call or "").partition(" ")[2].startswith("/")  # not of a renewal, which has a state
    if not of_the_call or isinstance(error.__cause__, _OUR_OWN):
        return False
    return error.waited_long if isinstance(error, OutOfTime) else type(error) in _NOT_WORKING


def _store(permit: Permit, kind: str) -> None:
    rows = Connection.objects.filter(pk=permit.connection_id).exclude(calls_failing_kind=kind)
    connection_states.mark_changed(permit.connection_id)
    rows.update(calls_failing_kind=kind, calls_turned_at=timezone.now())
