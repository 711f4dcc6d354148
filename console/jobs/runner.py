"""The worker's part of jobs: previews, and rows. It may be killed anywhere.

A worker holds a job under the lease of its JobWork, and leaves it to others after a while, so that jobs take turns.
"""

import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from datetime import timedelta
from threading import Lock

from django.core.exceptions import PermissionDenied
from django.db import connections
from django.http import Http404
from django.utils import timezone, translation

from console.access import OrgAccess, enter_org
from console.audit import system_user
from console.jobs import approval, deletion, dry_run, lists, mail, one_row, trouble
from console.jobs.control import record
from console.jobs.limits import left_today
from console.jobs.one_row import Ended
from console.jobs.row_choice import to_be_run
from console.jobs.totals import counts, of_preview, to_run
from console.jobs.trouble import Trouble
from console.limits.brake import BrakeReached
from console.models import Job, JobRow, JobWork, Work
from console.work.schedule import kept
from console.work.share import percent_of
from pingone_integration.calls import rate_limit
from pingone_integration.errors import PingOneError
from pingone_integration.texts import english

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=1)
TURN_S = 20.0  # then another job that is due comes first
AGAIN = timedelta(seconds=30)  # after PingOne did not answer a preview
AT_ONCE = 8  # rows of a job
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
        return time.monotonic() <= ends and is_held()

    def is_held() -> bool:
        if stopping():
            return False
        held = Job.objects.filter(pk=job.pk, state=job.state, work__lease_owner=work.lease_owner)
        return held.filter(work__lease_until__gt=timezone.now()).exists()

    with system_user.recorded(job.system_user):
        return _work_on(job, goes_on, is_held)


def _work_on(job: Job, goes_on: Callable[[], bool], is_held: Callable[[], bool]) -> timedelta:
    try:
        access = enter_org(job.starter, job.organization.slug)
        with rate_limit.in_background(percent_of(job.organization)):
            if job.state == State.READING:
                return _preview(access, job, goes_on, is_held)
            if job.state == State.RUNNING:
                Rows(access, job, goes_on).run()
    except (PermissionDenied, Http404):
        trouble.pause(job, Job.Pause.ACCESS)
    except Exception:
        logger.exception("The job %s failed", job.pk)
        trouble.pause(job, Job.Pause.MISTAKE)
    return timedelta()


def _preview(access: OrgAccess, job: Job, goes_on: Callable[[], bool], is_held: Callable[[], bool]) -> timedelta:
    """Store the rows, then look at them. Storing begins anew if it is interrupted: it is no matter of turns."""
    try:
        if lists.fill(access, job, is_held) and dry_run.run(dry_run.looking(access, job), job, goes_on):
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
    """A turn of a job that runs: several rows at a time, because each spends its time waiting for PingOne.

    The lock guards which row is next, and what the rows before it say.
    """

    def __init__(self, access: OrgAccess, job: Job, goes_on: Callable[[], bool]) -> None:
        self.access, self.job, self.goes_on = access, job, goes_on
        self.lock = Lock()
        self.is_over = self.is_at_end = False
        self.left_today, self.since_counted = 0, COUNTED_EVERY
        self.reached = job.rows.exclude(state=RowState.NOT_REACHED).count() if job.stop_after is not None else 0
        self.after = 0  # the number of the row before
        self.trouble = Trouble(job)

    def run(self) -> None:
        """Run rows until the turn is over, the job pauses or ends."""
        if not self._settle_started():
            return
        if AT_ONCE == 1:
            self._work()
        else:
            with ThreadPoolExecutor(AT_ONCE) as threads:
                for one in [threads.submit(copy_context().run, self._in_a_thread) for _ in range(AT_ONCE)]:
                    one.result()
        if self.is_at_end and not (to_run(self.job) or self.job.rows.filter(state=RowState.STARTED).exists()):
            _finish(self.job)

    def _in_a_thread(self) -> None:
        try:
            with translation.override("en"):
                self._work()
        finally:
            connections.close_all()

    def _work(self) -> None:
        while row := self._take():
            try:
                ended = one_row.run(self.access, self.job, row)
            except (PermissionDenied, Http404):
                self._leave(row)
                trouble.pause(self.job, Job.Pause.ACCESS)
            except BrakeReached as braked:
                self._leave(row)
                trouble.brake(self.job, braked, rows=to_run(self.job))
            except BaseException:
                self.is_over = True  # the row stays started: it is read back
                raise
            else:
                self._end(row, ended)

    def _take(self) -> JobRow | None:
        """Claim the next row, or return None if this turn is over."""
        with self.lock:
            if self.is_over or not self.goes_on():
                return None
            if self.job.stop_after is not None and self.reached >= self.job.stop_after:
                self._pause(Job.Pause.FIRST_ROWS)
                return None
            row = self._next()
            if row is None:
                self.is_over = self.is_at_end = True
                return None
            if not self._is_within_the_day():
                self._pause(Job.Pause.LIMIT)
                return None
            _claim(row)
            self.left_today -= 1
            self.reached += 1
            return row

    def _pause(self, why: Job.Pause) -> None:
        self.is_over = True
        trouble.pause(self.job, why)

    def _leave(self, row: JobRow) -> None:
        """Leave a row untouched, and end the turn."""
        with self.lock:
            self.is_over = True
            self.reached -= 1
        _put_back(row)

    def _next(self) -> JobRow | None:
        """Return the next row, or None at the end. Rows that do not run are passed over once, not again and again."""
        rows = to_be_run(self.job).order_by("number")
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
            else:
                self._end(row, ended)
        return not self.is_over

    def _is_within_the_day(self) -> bool:
        self.since_counted += 1
        if self.since_counted > COUNTED_EVERY or self.left_today <= COUNTED_EVERY:
            self.left_today, self.since_counted = left_today(self.access), 0
        return self.left_today > 0

    def _end(self, row: JobRow, ended: Ended) -> None:
        """Store what became of a row."""
        is_untouched = trouble.is_not_the_rows_fault(ended)
        if is_untouched:
            _put_back(row, again=ended.entry is not None)
        else:
            _store(row, ended)
        with self.lock:
            self.reached -= is_untouched
            self.is_over |= not self.trouble.goes_on_after(ended)
            if ended.state == RowState.CONFLICT and approval.lapses(self.job):
                self.is_over = True
                trouble.pause(self.job, Job.Pause.DEMAND, approval.LAPSED)
        if is_untouched and not (self.is_over or ended.was_killed):
            one_row.wait(trouble.SILENT_S)


def _claim(row: JobRow) -> None:
    JobRow.objects.filter(pk=row.pk, state=RowState.NOT_REACHED).update(
        state=RowState.STARTED, reached_at=timezone.now()
    )


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
