"""Failed calls of the last 30 days: a count by kind and day, with one example for support."""

import logging
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from pingone_integration import errors
from pingone_integration.calls.scoped import scoped
from pingone_integration.errors import PingOneError
from pingone_integration.models import Connection, FailedCalls
from pingone_integration.texts import Text
from pingone_integration.values import text

logger = logging.getLogger(__name__)

KEPT_DAYS = 30
RENEWAL = "Renewal of the access token"  # stored in the place of a call

# Failures of everyday work: an entry or a choice did not fit, but the connection is healthy.
ORDINARY = frozenset(
    error.kind for error in (errors.NotFound, errors.Duplicate, errors.InvalidValue, errors.RefusedByState)
)
_WORD = re.compile(r"[A-Za-z][A-Za-z-]{0,40}")  # a word of a path; anything else may be an ID, or name a person
_expected = ContextVar("expected", default=False)


@contextmanager
def counted(connection_id: UUID) -> Iterator[None]:
    """Count the block's API call if it fails."""
    try:
        yield
    except PingOneError as error:
        count_call(connection_id, error)
        raise


def not_counted() -> AbstractContextManager[None]:
    """Do not count failures in the block: they are expected, or the caller counts them."""
    return scoped(_expected, True)


def count_call(connection_id: UUID, error: PingOneError) -> None:
    """Count a failed API call, but not a failed token renewal: it is counted already."""
    _, _, path = (error.trace.call or "").partition(" ")
    if path.startswith("/") and not _expected.get():
        _count(connection_id, error, call=error.trace.call or "")


def count_renewal(connection_id: UUID, error: PingOneError) -> None:
    """Count a failed renewal of the access token."""
    _count(connection_id, error, call=RENEWAL)


@dataclass(frozen=True, kw_only=True)
class Lately:
    """All failures of one kind in the last 30 days."""

    kind: str
    error: type[PingOneError]
    count: int
    first_at: datetime
    last_at: datetime
    example: FailedCalls  # the row of the latest day; holds the latest call

    @property
    def is_ordinary(self) -> bool:
        return self.kind in ORDINARY

    @property
    def ids(self) -> list[tuple[Text, str]]:
        """Return name and value of each ID for support."""
        named = (
            (_("PingOne's code"), self.example.code),
            (_("PingOne error ID"), self.example.error_id),
            (_("Correlation ID"), self.example.correlation_id),
            (_("Transaction ID"), self.example.transaction_id),
        )
        return [(name, value) for name, value in named if value]


def lately(connection: Connection) -> list[Lately]:
    """Return the failures by kind: ordinary kinds last, latest first."""
    by_kind: dict[str, list[FailedCalls]] = {}
    for row in FailedCalls.objects.filter(connection=connection, day__gte=_oldest_day()).order_by("day"):
        by_kind.setdefault(row.kind, []).append(row)
    found = [
        Lately(
            kind=kind,
            error=errors.of_kind(kind, otherwise=PingOneError),
            count=sum(row.count for row in rows),
            first_at=rows[0].first_at,
            last_at=rows[-1].last_at,
            example=rows[-1],
        )
        for kind, rows in by_kind.items()
    ]
    return sorted(found, key=lambda one: (one.is_ordinary, -one.last_at.timestamp()))


def _count(connection_id: UUID, error: PingOneError, *, call: str) -> None:
    """Count a failure. Never raises: it must not hide the failure itself."""
    if isinstance(error, errors.StaleCursor):  # the list starts again by itself
        return
    try:
        _store(connection_id, error, call)
    except Exception:
        logger.exception("A failed call of connection %s could not be counted", connection_id)


def _store(connection_id: UUID, error: PingOneError, call: str) -> None:
    now, trace = timezone.now(), error.trace
    row, is_new = FailedCalls.objects.get_or_create(
        connection_id=connection_id, kind=error.kind, day=now.date(), defaults={"first_at": now, "last_at": now}
    )
    FailedCalls.objects.filter(pk=row.pk).update(
        count=F("count") + 1,
        last_at=now,
        call=without_ids(call),
        status=trace.status,
        code=_short(trace.code),
        error_id=_short(trace.error_id),
        correlation_id=_short(trace.correlation_id),
        transaction_id=_short(trace.transaction_id),
    )
    if is_new:
        FailedCalls.objects.filter(connection_id=connection_id, day__lt=_oldest_day()).delete()


def _oldest_day() -> date:
    return (timezone.now() - timedelta(days=KEPT_DAYS)).date()


def _short(value: str | None) -> str:
    return text(value)[:100]


def without_ids(call: str) -> str:
    """Return the call without IDs: `GET /users/{id}/password`. The part after a collection is an ID."""
    if call == RENEWAL:
        return call
    method, _, path = call.partition(" ")
    kept: list[str] = []
    for part in path.split("/"):
        is_word = not part or (_WORD.fullmatch(part) and not (kept and kept[-1].endswith("s")))
        kept.append(part if is_word else "{id}")
    return f"{method} {'/'.join(kept)}"[:200]
