"""The tasks of the queue. A task only says "look at the rows of this kind": it may come twice, late or never."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import DatabaseError
from django.db.models import CharField, Count, Min, Value
from django_tasks import task
from django_tasks.base import Task

from console.models import OutgoingEmail, ScheduledWork
from console.models.work import WorkQuerySet
from console.outbox.delivery import deliver_due
from console.work.schedule import run_due

logger = logging.getLogger(__name__)


class Stop:
    """Set when this process should end: the row at hand is finished, no other is begun.

    A plain attribute: a threading.Event that a signal handler sets while the same thread waits for it can deadlock.
    """

    requested = False


stopping = Stop()


@task(queue_name="email")
def send_emails() -> None:
    look(deliver_due)


@task(queue_name="schedule")
def run_schedule() -> None:
    look(run_due)


@dataclass(frozen=True)
class Kind:
    """A kind of rows, and the task that looks at them. `waiting`: those that somebody waits for."""

    name: str  # in metrics
    rows: Callable[[], WorkQuerySet[Any]]
    waiting: Callable[[], WorkQuerySet[Any]]
    task: Task[[], None]


KINDS = [  # the first write what the last sends
    Kind("schedule", ScheduledWork.objects.all, ScheduledWork.objects.due, run_schedule),
    Kind("email", OutgoingEmail.objects.all, OutgoingEmail.objects.unfinished, send_emails),
]


def register(kind: Kind) -> None:
    """Add a kind of rows that a room above this one looks after: console/apps.py does, at the start."""
    if kind not in KINDS:
        KINDS.insert(0, kind)


@dataclass(frozen=True)
class Waiting:
    """How many rows of a kind somebody waits for, and since when; None: nobody waits."""

    count: int = 0
    since: datetime | None = None


def waiting() -> dict[str, Waiting]:
    """Return what waits, by the name of its kind. One query, however many kinds there are."""
    each = [
        kind.waiting()
        .order_by()
        .values(of_kind=Value(kind.name, output_field=CharField()))
        .annotate(count=Count("pk"), since=Min("wanted_at"))
        .values_list("of_kind", "count", "since")
        for kind in KINDS
    ]
    found = {name: Waiting(count, since) for name, count, since in each[0].union(*each[1:], all=True)}
    return {kind.name: found.get(kind.name, Waiting()) for kind in KINDS}


def look(step: Callable[[Callable[[], bool]], int]) -> None:
    """Log what fails: the queue would store the traceback, with what it tells, in plain text."""
    try:
        step(lambda: stopping.requested)
    except DatabaseError as error:
        logger.error("The database failed: %s", type(error).__name__)  # noqa: TRY400
    except Exception:  # the row's lease runs out, and it is tried again
        logger.exception("A look at the work failed")
