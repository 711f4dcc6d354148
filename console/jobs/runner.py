"""The worker's part of jobs: previews, and rows one after the other. It may be killed anywhere.

A worker holds a job under the lease of its JobWork, and leaves it to others after a while, so that jobs take turns.
"""

import logging
import time
from collections.abc import Callable
from datetime import timedelta

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils import timezone, translation

from console.access import OrgAccess, enter_org
from console.audit import system_user
from console.jobs import deletion, dry_run, lists, mail, one_row, trouble
from console.jobs.control import record, runnable
from console.jobs.limits import left_today
from console.jobs.one_row import Ended
from console.jobs.share import percent_of
from console.jobs.totals import counts, of_preview, to_run
from console.jobs.trouble import Trouble
from console.limits.brake import BrakeReached
from console.models import Job, JobRow, JobWork, Work
from console.work.schedule import kept
from pingone_integration.calls import rate_limit
from pingone_integration.errors import PingOneError
from pingone_integration.texts import english

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=1)
TURN_S = 20.0  # then another job that is due comes first
AGAIN = timedelta(seconds=30)  # after PingOne did not answer a preview
COUNTED_EVERY = 100  # rows, while many of the day are left

State, RowState = Job.State, JobRow.State
WORKED_ON = (State.READING, State.RUNNING)


def run_due(stopping: Callable[[], bool] = lambda: False) -> int:
    """Work on the jobs that are due, until none is. Return how many turns that took."""
    turns = 0
    while not stopping() and (work := JobWork.objects.claim(LEASE)):
        with kept(work, f"job {work.job_id}"), translation.override("en"):
            pause = _turn(work, stopping)
        turns += 1
        if Job.objects.filter(pk=work.job_id, state__in=WORKED_ON).exists():
            work.put_back(pause, attempts=0)
        else:
            work.end(Work.State.DONE)
            if job := Job.objects.filter(pk=work.job_id, state__in=WORKED_ON).first():  # resumed just now
                JobWork.want(job)
    return turns


def _turn(work: JobWork, stopping: Callable[[], bool]) -> timedelta:
    """Work on one job for a while. Return how long it then waits."""
    job = Job.objects.select_related("organization__connection", "starter").get(pk=work.job_id)
    ends = time.monotonic() + TURN_S

    def goes_on() -> bool:
        if stopping() or time.monotonic() > ends:
            return False
        held = Job.objects.filter(pk=job.pk, state=job.state, work__lease_owner=work.lease_owner)
        return held.filter(work__lease_until__gt=timezone.now()).exists()

    with system_user.recorded(job.system_user):
        return _work_on(job, goes_on)


def _work_on(job: Job, goes_on: Callable[[], bool]) -> timedelta:
    try:
        access = enter_org(job.starter, job.organization.slug)
        with rate_limit.in_background(percent_of(job.organization)):
            if job.state == State.READING:
                return _preview(access, job, goes_on)
            if job.state == State.RUNNING:
                Rows(access, job, goes_on).run()
    except (PermissionDenied, Http404):
        trouble.pause(job, Job.Pause.ACCESS)
    except Exception:
        logger.exception("The job %s failed", job.pk)
        trouble.pause(job, Job.Pause.MISTAKE)
    return timedelta()


def _preview(access: OrgAccess, job: Job, goes_on: Callable[[], bool]) -> timedelta:
    try:
        if lists.fill(access, job, goes_on) and dry_run.run(access, job, goes_on):
            Job.objects.filter(pk=job.pk, state=State.READING).update(
                state=State.PREVIEWED, totals=of_preview(job), pause="", pause_detail=""
            )
    except PingOneError as error:
        kind = Job.Pause.CONNECTION if trouble.is_of_connection(error) else Job.Pause.UNREACHABLE
        told = english(error.title)
        Job.objects.filter(pk=job.pk, state=State.READING).update(pause=kind, pause_detail=told)
        return AGAIN
    except lists.UnusableList as unusable:
        trouble.refuse_list(job, english(unusable.reason))
    return timedelta()


class Rows:
    """A turn of a job that runs."""

    def __init__(self, access: OrgAccess, job: Job, goes_on: Callable[[], bool]) -> None:
        self.access, self.job, self.goes_on = access, job, goes_on
        self.left_today = 0
        self.since_counted = COUNTED_EVERY
        self.reached = job.rows.exclude(state=RowState.NOT_REACHED).count() if job.stop_after is not None else 0
        self.after = 0  # the number of the row before
        self.trouble = Trouble(job)

    def run(self) -> None:
        """Run rows until the turn is over, the job pauses or ends."""
        if not self._settle_started():
            return
        while self.goes_on():
            if self.job.stop_after is not None and self.reached >= self.job.stop_after:
                trouble.pause(self.job, Job.Pause.FIRST_ROWS)
                return
            row = self._next()
            if row is None:
                _finish(self.job)
                return
            if not self._is_within_the_day():
                trouble.pause(self.job, Job.Pause.LIMIT)
                return
            if not self._run_row(row):
                return

    def _next(self) -> JobRow | None:
        """Return the next row, or None at the end. Rows that do not run are passed over once, not again and again."""
        rows = self.job.rows.filter(runnable(self.job), state=RowState.NOT_REACHED).order_by("number")
        row = rows.filter(number__gt=self.after).first() or (rows.first() if self.after else None)
        self.after = row.number if row else 0
        return row

    def _settle_started(self) -> bool:
        """Settle the rows that a killed worker had started, before any other."""
        for row in self.job.rows.filter(state=RowState.STARTED).order_by("number"):
            if not self.goes_on():
                return False
            ended = one_row.settle_started(self.access, self.job, row)
            if ended is None:
                _put_back(row)
            elif not self._end(row, ended):
                return False
        return True

    def _is_within_the_day(self) -> bool:
        self.since_counted += 1
        if self.since_counted > COUNTED_EVERY or self.left_today <= COUNTED_EVERY:
            self.left_today, self.since_counted = left_today(self.access), 0
        return self.left_today > 0

    def _run_row(self, row: JobRow) -> bool:
        """Run a row. Return False if the job pauses now."""
        if not _claim(row):
            return True
        self.left_today -= 1
        try:
            ended = one_row.run(self.access, self.job, row)
        except (PermissionDenied, Http404):
            _put_back(row)
            raise
        except BrakeReached as braked:
            _put_back(row)
            trouble.brake(self.job, braked, rows=to_run(self.job))
            return False
        self.reached += 1
        return self._end(row, ended)

    def _end(self, row: JobRow, ended: Ended) -> bool:
        """Store what became of a row. Return False if the job pauses now."""
        if trouble.is_not_the_rows_fault(ended):
            _put_back(row, again=ended.entry is not None)
            self.reached -= 1
        else:
            _store(row, ended)
        return self.trouble.goes_on_after(ended)


def _claim(row: JobRow) -> bool:
    now = timezone.now()
    claimed = JobRow.objects.filter(pk=row.pk, state=RowState.NOT_REACHED, attempt=row.attempt)
    return bool(claimed.update(state=RowState.STARTED, reached_at=now))


def _store(row: JobRow, ended: Ended) -> None:
    changes = {
        "state": ended.state,
        "detail": english(ended.detail),
        "entry": ended.entry.entry if ended.entry else None,
    }
    if row.user_id is None and ended.entry and ended.entry.subject_id:
        changes["user_id"] = ended.entry.subject_id
    JobRow.objects.filter(pk=row.pk, state=RowState.STARTED, attempt=row.attempt).update(**changes)


def _put_back(row: JobRow, *, again: bool = False) -> None:
    """Leave the row as one that was not reached. `again`: the record has this attempt, so the next is another."""
    JobRow.objects.filter(pk=row.pk, state=RowState.STARTED, attempt=row.attempt).update(
        state=RowState.NOT_REACHED, reached_at=None, attempt=row.attempt + again
    )


def _finish(job: Job) -> None:
    now = timezone.now()
    ended = Job.objects.filter(pk=job.pk, state=State.RUNNING)
    delete_after = deletion.due()
    if ended.update(state=State.FINISHED, finished_at=now, delete_after=delete_after):
        job.state = State.FINISHED
        job.delete_after = delete_after
        record(job, "job.finished", job.starter, inputs=counts(job))
        mail.finished(job)
