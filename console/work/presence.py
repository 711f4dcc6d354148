"""Whether a worker runs, and how long the oldest work has been waiting: for people and monitoring."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models.functions import Now
from django.utils import timezone

from console.models import WorkerProcess
from console.work.tasks import waiting

BELIEVED_FOR = timedelta(seconds=30)
BETWEEN_TIMERS = timedelta(minutes=10)  # `manage.py worker --once` comes at least that often
LONG = timedelta(minutes=5)


@dataclass(frozen=True)
class Presence:
    """The state of the worker. `waiting_since`: when the oldest work that waits was wanted; None: nothing waits."""

    is_running: bool
    waiting_since: datetime | None

    @property
    def waiting_for(self) -> timedelta | None:
        return max(timezone.now() - self.waiting_since, timedelta(0)) if self.waiting_since else None

    @property
    def is_late(self) -> bool:
        """Return whether work waits for long although a worker runs, for example because the mail server is down."""
        return self.is_running and self.waiting_for is not None and self.waiting_for >= LONG


def present() -> Presence:
    return Presence(
        is_running=is_running(),
        waiting_since=min((kind.since for kind in waiting().values() if kind.since), default=None),
    )


def is_running() -> bool:
    return WorkerProcess.objects.filter(believed_until__gt=Now()).exists()


def appear(worker: UUID, believed_for: timedelta = BELIEVED_FOR) -> None:
    """Say that this worker runs, and forget those that were killed."""
    WorkerProcess.objects.update_or_create(id=worker, defaults={"believed_until": Now() + believed_for})
    WorkerProcess.objects.filter(believed_until__lt=Now() - timedelta(days=1)).delete()


def disappear(worker: UUID) -> None:
    WorkerProcess.objects.filter(id=worker).delete()
