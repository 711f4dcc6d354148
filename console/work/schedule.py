"""What comes again and again, each a command that may be killed anywhere and run twice at once."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from io import StringIO
from threading import Event, Thread

from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection
from django.db.models.functions import Now

from console.models import ScheduledWork, Work

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=1)
HEARTBEAT_S = 15.0
LONGEST_RETRY = timedelta(hours=1)


@dataclass(frozen=True)
class Scheduled:
    command: str
    every: timedelta


SCHEDULE = {
    scheduled.command: scheduled
    for scheduled in (
        Scheduled("keep_connections_alive", timedelta(minutes=5)),
        Scheduled("close_repetitions", timedelta(minutes=1)),
        Scheduled("remove_lost_factors", timedelta(minutes=5)),
        Scheduled("sync_populations", timedelta(days=1)),
        Scheduled("sync_role_groups", timedelta(days=1)),  # and after Connect
        Scheduled("count_recovery_addresses", timedelta(days=1)),  # and when an org admin asks for it
        Scheduled("clearsessions", timedelta(days=1)),
        Scheduled("clear_finished_work", timedelta(days=1)),
    )
}


def enter_schedule() -> None:
    """Create the rows that are missing, and remove those of earlier versions."""
    missing = set(SCHEDULE) - set(ScheduledWork.objects.values_list("name", flat=True))
    ScheduledWork.objects.bulk_create([ScheduledWork(name=name) for name in sorted(missing)], ignore_conflicts=True)
    ScheduledWork.objects.exclude(name__in=SCHEDULE).delete()


def hasten(command: str) -> None:
    """Let the worker run this command now. If it runs already, it is not repeated."""
    ScheduledWork.objects.filter(name=command, state=ScheduledWork.State.WAITING).update(due_at=Now(), wanted_at=Now())


def run_due(stopping: Callable[[], bool] = lambda: False) -> int:
    """Run what is due, until nothing is. Return how many commands that were."""
    count = 0
    while not stopping() and (row := ScheduledWork.objects.claim(LEASE)):
        every = SCHEDULE[row.name].every
        with kept(row, row.name):
            succeeded = _run(row.name)
        pause = every if succeeded else min(every, LONGEST_RETRY)
        row.put_back(pause, wanted_at=Now() + pause, attempts=0)
        count += 1
    return count


def _run(command: str) -> bool:
    """Run the command, and log its errors only: what goes well every five minutes is no news."""
    errors = StringIO()
    try:
        call_command(command, stdout=StringIO(), stderr=errors)
    except CommandError as error:
        logger.warning("%s: %s %s", command, error, errors.getvalue().strip())
    except Exception:  # the other work goes on
        logger.exception("%s failed", command)
    else:
        return True
    return False


@contextmanager
def kept(row: Work, name: str) -> Iterator[None]:
    """Extend the lease of the row inside the block, from a thread."""
    ended = Event()

    def beat() -> None:
        while not ended.wait(HEARTBEAT_S):
            try:
                row.keep(LEASE)
            except DatabaseError as error:
                logger.warning("No heartbeat of %s: %s", name, type(error).__name__)
            finally:
                connection.close()

    thread = Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
