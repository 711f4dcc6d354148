"""The rate limiter of a connection: no more calls a second than the license allows one address.

Each process has a small share of its own, so that everyday work costs no query. Further calls come out of a one-second
window that all processes share; each call claims its place by one conditional UPDATE. People go first: background work
has no share of its own and gets at most half of the limit, or all but a reserve while nobody works, and recovery, which
strangers can start, a tenth. Background calls are spread over the second, see pacing.py. A 429 closes the connection
for everybody until PingOne's Retry-After.
"""

import math
import random
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto
from threading import Lock
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.db.models.functions import Greatest
from django.utils import timezone

from pingone_integration.calls import deadline, pacing
from pingone_integration.calls.database import give_back
from pingone_integration.calls.scoped import scoped
from pingone_integration.errors import RateLimited, Trace
from pingone_integration.metrics import NOT_SENT
from pingone_integration.models import CallWindow, Connection

UNKNOWN_LICENSE = 200  # calls a second
PERSON_WAITS_S = 1.2  # long enough for the next second
RECOVERY_WAITS_S = 8.0  # within the deadline of a page
BACKGROUND_WAITS_S = 60.0
LONGEST_CLOSING_S = 60

HALF, ALL_BUT_A_RESERVE = 50, 90  # percent of the limit, for background work

Percent = Callable[[], int]


class _Class(Enum):
    """Whose calls these are."""

    PERSON = auto()  # at a page
    RECOVERY = auto()  # people recovering their account: a tenth of the limit, and at least one call a second
    BACKGROUND = auto()


_class = ContextVar("class", default=_Class.PERSON)


def _limit(licensed_calls: int | None, share: int | None) -> int:
    """Return the calls a second that one address may make. `share` is in percent; None: that of the setting.

    Source: PingOne API reference, Platform > Rate limiting (read 2026-11): by default, one address gets 35 % of the
    license's rate, all of it on a trial or if it is excepted.
    """
    excepted = share if settings.OUTGOING_ADDRESSES else None  # an exception is for these addresses only
    return max(2, int((licensed_calls or UNKNOWN_LICENSE) * (excepted or settings.PINGONE_RATE_SHARE) / 100))


@dataclass
class _Known:
    """The limit of one connection, as this process knows it."""

    limit: int = field(default_factory=lambda: _limit(None, None))
    closed_until: datetime | None = None  # set by a 429
    second: int = 0  # the second that `own` counts
    own: int = 0
    counting: Lock = field(default_factory=Lock)
    next_in_background: Lock = field(default_factory=Lock)  # one background call asks for a place, the others wait


_known: dict[UUID, _Known] = {}


def _half() -> int:
    return HALF


_background_part: ContextVar[Percent] = ContextVar("background_part", default=_half)


@contextmanager
def in_background(percent: Percent = _half) -> Iterator[None]:
    """Mark the block as background work: it leaves calls to people, and waits longer.

    `percent` is asked before each call, for the part of the limit that the block may take.
    """
    with scoped(_class, _Class.BACKGROUND), scoped(_background_part, percent):
        yield


def in_recovery() -> AbstractContextManager[None]:
    """Mark the block as work that anybody may start: a flood of it leaves the calls to people at pages and to jobs."""
    return scoped(_class, _Class.RECOVERY)


def calls_a_second(row: Connection, percent: int) -> int:
    """Return the calls a second that background work may make."""
    return _part(_limit(row.licensed_calls, row.rate_share), percent)


def _part(limit: int, percent: int) -> int:
    return max(1, limit * percent // 100)


def learn(row: Connection) -> None:
    """Copy the limit from a freshly read row; every call reads the row."""
    known = _known.setdefault(row.pk, _Known())
    known.limit, known.closed_until = _limit(row.licensed_calls, row.rate_share), row.calls_closed_until


def wait_for_permit(connection_id: UUID, trace: Trace) -> None:
    """Take the permit of one attempt, after a wait if necessary. Raises RateLimited: nothing was sent."""
    known = _known.setdefault(connection_id, _Known())
    patience = deadline.at_most(_patience_s())
    give_up_at = time.monotonic() + patience
    with _turn(known, patience) as is_next:
        while wait := _wait_before(connection_id, known) if is_next else patience:
            if time.monotonic() + wait > give_up_at:
                NOT_SENT.labels("rate").inc()
                raise RateLimited("as many calls as PingOne allows", retry_after_s=math.ceil(wait), trace=trace)
            give_back()
            time.sleep(wait)


@contextmanager
def _turn(known: _Known, patience_s: float) -> Iterator[bool]:
    """Let the background calls of this process wait for one another. False: that took too long."""
    if _class.get() is not _Class.BACKGROUND:
        yield True
        return
    give_back()
    is_next = known.next_in_background.acquire(timeout=patience_s)
    try:
        yield is_next
    finally:
        if is_next:
            known.next_in_background.release()


def _wait_before(connection_id: UUID, known: _Known) -> float:
    """Take the permit and return 0, or return the seconds until the next try."""
    if closed := _closed_for(known):
        return closed
    if _from_own_share(known) or _from_shared_window(connection_id, known):
        return 0.0
    if _class.get() is _Class.BACKGROUND:
        return 0.5 / known.limit  # until the next place opens, or a little after
    return 1 - time.time() % 1 + random.uniform(0, 0.1)  # noqa: S311 - jitter, not a secret


def _patience_s() -> float:
    match _class.get():
        case _Class.BACKGROUND:
            return BACKGROUND_WAITS_S
        case _Class.RECOVERY:
            return RECOVERY_WAITS_S
        case _:
            return PERSON_WAITS_S


def refused(connection_id: UUID, retry_after_s: int | None) -> None:
    """Close the connection after a 429, until PingOne's Retry-After."""
    until = timezone.now() + timedelta(seconds=min(max(retry_after_s or 1, 1), LONGEST_CLOSING_S))
    if known := _known.get(connection_id):
        known.closed_until = until
    sooner = Q(calls_closed_until=None) | Q(calls_closed_until__lt=until)
    Connection.objects.filter(sooner, pk=connection_id).update(calls_closed_until=until)


@dataclass(frozen=True, kw_only=True)
class Headroom:
    """The allowed calls a second, and the calls left in this second."""

    limit: int  # calls a second
    left: int
    closed_until: datetime | None  # PingOne asked to wait; None if it did not


def headroom(row: Connection) -> Headroom:
    limit, second = _limit(row.licensed_calls, row.rate_share), _second()
    used = CallWindow.objects.filter(connection=row, second=second).values_list("taken", flat=True).first() or 0
    known = _known.get(row.pk)
    own = known.own if known and known.second == second else 0
    closed = row.calls_closed_until
    closed_until = closed if closed and closed > timezone.now() else None
    return Headroom(limit=limit, left=0 if closed_until else max(0, limit - used - own), closed_until=closed_until)


def _closed_for(known: _Known) -> float:
    """Return the seconds until it opens; 0 if it is open."""
    if known.closed_until is None:
        return 0.0
    return max(0.0, (known.closed_until - timezone.now()).total_seconds())


def _own_share(limit: int) -> int:
    """Return the calls a second of each process: 40 % of the limit together, but at least 1 each."""
    return max(1, int(limit * 0.4 / settings.WEB_CONCURRENCY))


def _from_own_share(known: _Known) -> bool:
    if _class.get() is not _Class.PERSON:
        return False
    second = _second()
    with known.counting:
        if known.second != second:
            known.second, known.own = second, 0
        if known.own >= _own_share(known.limit):
            return False
        known.own += 1
        return True


def _from_shared_window(connection_id: UUID, known: _Known) -> bool:
    shared = max(1, known.limit - settings.WEB_CONCURRENCY * _own_share(known.limit))
    is_free, first, more = Q(taken__lt=shared), {"taken": 1, "recovering": 0}, {"taken": F("taken") + 1}
    if _class.get() is _Class.BACKGROUND:
        part = _part_of_window(known.limit, shared, _background_part.get()())
        opened, lost = pacing.places(known.limit, part)
        is_free, first["taken"], more = Q(taken__lt=opened), lost + 1, {"taken": Greatest(F("taken"), lost) + 1}
    if _class.get() is _Class.RECOVERY:
        is_free = Q(recovering=0) | Q(taken__lt=shared, recovering__lt=known.limit // 10)
        first["recovering"], more["recovering"] = 1, F("recovering") + 1
    second = _second()
    window = CallWindow.objects.filter(connection_id=connection_id)
    counted = window.filter(is_free, second=second)
    if counted.update(**more) or window.filter(second__lt=second).update(second=second, **first):
        return True
    if window.exists():
        return bool(counted.update(**more))
    try:
        with transaction.atomic():
            CallWindow.objects.create(connection_id=connection_id, second=second, **first)
    except IntegrityError:  # another process was quicker
        return bool(counted.update(**more))
    return True


def _part_of_window(limit: int, shared: int, percent: int) -> int:
    """Return how much of the window background work may take. Above half, it takes the own shares that nobody uses."""
    part = _part(limit, percent)
    return part if percent > HALF else min(shared, part)


def _second() -> int:
    return int(time.time())
