"""How far a job is: rows by what became of them, rows a second, and the time left."""

from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from console.jobs.totals import counts, to_run
from console.models import Job, JobRow

LATELY = timedelta(minutes=1)  # over which the speed is measured

State = JobRow.State


@dataclass(frozen=True, kw_only=True)
class Progress:
    """`states`: rows by JobRow.State. `reached` and `left` are of the rows that run."""

    states: dict[str, int]
    reached: int
    left: int
    rows_a_second: float  # of the last minute; 0.0 if it does not run
    seconds_left: int | None  # None if that cannot be said

    @property
    def percent(self) -> int:
        whole = self.reached + self.left
        return 100 * self.reached // whole if whole else 100


def progress(job: Job) -> Progress:
    """Return how far the job is. Three queries."""
    states = counts(job)
    reached = sum(count for state, count in states.items() if state not in {State.NOT_REACHED, State.STARTED})
    left = to_run(job)
    speed = _rows_a_second(job)
    return Progress(
        states=states,
        reached=reached,
        left=left,
        rows_a_second=speed,
        seconds_left=round(left / speed) if speed else None,
    )


def _rows_a_second(job: Job) -> float:
    if job.state != Job.State.RUNNING or job.started_at is None:
        return 0.0
    now = timezone.now()
    since = max(now - LATELY, job.started_at)
    seconds = (now - since).total_seconds()
    return job.rows.filter(reached_at__gt=since).count() / seconds if seconds else 0.0
