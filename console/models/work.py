"""Work that the worker does, as rows: claimed under a lease, so that nothing is lost if a worker is killed.

A lease is claimed, kept and ended by conditional UPDATEs that use the database's clock. A message of the task queue may
arrive twice, late or never: only these rows say what is to be done.
"""

from datetime import timedelta
from typing import Any, TypeVar
from uuid import uuid4

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from pingone_integration.models import HoldsSecrets

W = TypeVar("W", bound="Work")


class _NowOrLess(Now):
    """The database's clock. SQLite's counts milliseconds: there the end of this one, so that what begins now is due."""

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        template = "STRFTIME('%%%%Y-%%%%m-%%%%d %%%%H:%%%%M:%%%%f', 'NOW', '+0.001 seconds')"
        return self.as_sql(compiler, connection, template=template, **extra)


class WorkQuerySet(models.QuerySet[W]):
    def due(self) -> "WorkQuerySet[W]":
        """Select what waits and is due, and what a worker began whose lease has run out."""
        waits = Q(state=Work.State.WAITING, due_at__lte=_NowOrLess())
        is_abandoned = Q(state=Work.State.RUNNING, lease_until__lte=Now())
        return self.filter(waits | is_abandoned)

    def unfinished(self) -> "WorkQuerySet[W]":
        return self.filter(state__in=(Work.State.WAITING, Work.State.RUNNING))

    def claim(self, lease: timedelta) -> W | None:
        """Claim the row that has been due for longest, or return None. Of several callers, exactly one gets a row."""
        owner = uuid4()
        while due := list(self.due().order_by("due_at").values_list("pk", flat=True)[:10]):
            for pk in due:
                if (
                    self.due()
                    .filter(pk=pk)
                    .update(
                        state=Work.State.RUNNING,
                        lease_owner=owner,
                        lease_until=Now() + lease,
                        heartbeat_at=Now(),
                        attempts=F("attempts") + 1,
                    )
                ):
                    return self.filter(pk=pk, lease_owner=owner).first()
        return None


class Work(models.Model):
    """One piece of work. Every change after the claim is refused once the lease belongs to somebody else."""

    class State(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"
        UNKNOWN = "unknown"  # a worker was killed, or lost the answer, while something outside may have happened
        CANCELED = "canceled"

    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    wanted_at = models.DateTimeField(default=timezone.now)  # since when it waits, whatever was tried
    due_at = models.DateTimeField(default=timezone.now)  # the next attempt
    attempts = models.PositiveIntegerField(default=0)
    lease_owner = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)

    objects = WorkQuerySet.as_manager()

    class Meta:
        abstract = True
        indexes = [models.Index(fields=["state", "due_at"], name="%(class)s_due")]

    def keep(self, lease: timedelta, **changes: Any) -> bool:
        """Extend the lease (heartbeat). Return False if it was lost: then the work is no longer this worker's."""
        still_held = self._held().filter(lease_until__gt=Now())
        return bool(still_held.update(lease_until=Now() + lease, heartbeat_at=Now(), **changes))

    def put_back(self, delay: timedelta, **changes: Any) -> bool:
        """Let it wait for the next attempt, `delay` from now."""
        return self._leave(Work.State.WAITING, due_at=Now() + delay, **changes)

    def end(self, state: State, **changes: Any) -> bool:
        return self._leave(state, **changes)

    def _leave(self, state: State, **changes: Any) -> bool:
        return bool(self._held().update(state=state, lease_owner=None, lease_until=None, **changes))

    def _held(self) -> "models.QuerySet[Work]":
        rows: models.QuerySet[Work] = models.QuerySet(type(self))
        return rows.filter(pk=self.pk, state=Work.State.RUNNING, lease_owner=self.lease_owner)


class OutgoingEmail(Work, HoldsSecrets):
    """An email that the mail server has to take. Its text is erased as soon as it is of no more use."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    to = models.EmailField()
    sealed_text = models.TextField(blank=True)  # subject and body as JSON
    about = models.CharField(max_length=100)  # what it tells of, by which it can be withdrawn
    expires_at = models.DateTimeField()  # its link or news is worth nothing afterwards
    may_repeat = models.BooleanField()  # a second copy harms nobody
    # Set just before the mail server gets it, and cleared when it certainly did not take it.
    handed_over_at = models.DateTimeField(null=True)
    cause = models.CharField(max_length=100, blank=True)  # of the last failure; contains no address

    class Meta(Work.Meta):
        indexes = [*Work.Meta.indexes, models.Index(fields=["about"], name="outgoingemail_about")]

    def __str__(self) -> str:
        return f"Email {self.pk} about {self.about}: {self.state}"


class ScheduledWork(Work):
    """Work that comes again and again; `due_at` is the next time."""

    name = models.CharField(max_length=50, unique=True)

    def __str__(self) -> str:
        return f"{self.name}: {self.state}"


class WorkerProcess(models.Model):
    """A process that does the work, from its own word: it is believed until `believed_until`."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    believed_until = models.DateTimeField()

    def __str__(self) -> str:
        return f"Worker {self.pk}, until {self.believed_until}"
