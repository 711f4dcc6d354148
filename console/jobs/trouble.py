"""When a job pauses by itself: what is nobody's fault but the connection's, and the same failure again and again.

A row's own fault never stops a job.
"""

from django.utils import timezone

from console.jobs import deletion, mail
from console.jobs.control import record
from console.jobs.one_row import Ended
from console.limits.brake import BrakeReached
from console.models import Job, JobRow
from pingone_integration.errors import (
    AuthenticationError,
    ConnectionFailure,
    NotConnected,
    PingOneError,
    RateLimited,
    SealBroken,
    TokenRefreshFailure,
    TokenRejected,
    Unavailable,
)
from pingone_integration.texts import english

MOST_FORBIDDEN = 3  # rows in a row with the same 403
MOST_ALIKE = 20  # failures of one kind in a row
MOST_SILENT = 3  # attempts in a row without an answer
SILENT_S = 1.0

_OF_CONNECTION = (NotConnected, TokenRejected, TokenRefreshFailure, AuthenticationError, SealBroken)
_SILENT = (ConnectionFailure, Unavailable, RateLimited)
_FAILURES = (JobRow.State.FAILED, JobRow.State.REFUSED, JobRow.State.UNKNOWN)


def is_of_connection(error: PingOneError) -> bool:
    """Return whether nothing works before somebody mends the connection."""
    return isinstance(error, _OF_CONNECTION)


def is_not_the_rows_fault(ended: Ended) -> bool:
    """Return whether the row failed, without effect, for a reason that has nothing to do with it."""
    is_beyond_it = ended.was_killed or isinstance(ended.error, (*_OF_CONNECTION, *_SILENT))
    return ended.state == JobRow.State.FAILED and is_beyond_it


def pause(job: Job, why: Job.Pause, detail: str = "") -> None:
    """Pause a job that runs or makes its preview, and record it."""
    states = (Job.State.RUNNING, Job.State.READING)
    if Job.objects.filter(pk=job.pk, state__in=states).update(state=Job.State.PAUSED, pause=why, pause_detail=detail):
        job.state = Job.State.PAUSED
        job.pause, job.pause_detail = why, detail
        record(job, "job.paused", job.starter, inputs={"why": str(why)}, reason=detail)
        mail.paused(job)


def refuse_list(job: Job, detail: str) -> None:
    """End a job of whose list no rows can be made, and record it."""
    ended = {"finished_at": timezone.now(), "delete_after": deletion.due(), "pause_detail": detail}
    if Job.objects.filter(pk=job.pk, state=Job.State.READING).update(state=Job.State.CANCELED, **ended):
        job.state = Job.State.CANCELED
        job.rows.all().delete()
        record(job, "job.canceled", job.starter, reason=detail)


def brake(job: Job, braked: BrakeReached, *, rows: int) -> None:
    """Let the job wait for an org admin, who sees the sum."""
    detail = english(braked.reason)
    asked = {**braked.total.stored(), "rows": rows, "asked_at": timezone.now().isoformat()}
    running = Job.objects.filter(pk=job.pk, state=Job.State.RUNNING)
    if running.update(state=Job.State.WAITING, pause_detail=detail, approval=asked):
        job.state = Job.State.WAITING
        job.pause_detail = detail
        record(job, "job.braked", job.starter, inputs=asked, reason=detail)
        mail.waits(job)


class Trouble:
    """The failures of a job in a row, which are kept with it: another worker counts on."""

    def __init__(self, job: Job) -> None:
        self.job = job

    def goes_on_after(self, ended: Ended) -> bool:
        """Count a row. Return False, and pause the job, if something is wrong beyond that row."""
        kind = _kind_of(ended)
        if ended.state == JobRow.State.CONFLICT or ended.was_killed:
            return True  # the row's or the worker's own: neither a failure, nor a sign that all is well
        if not kind:
            if self.job.failing_rows:
                self._keep("", 0)
            return True
        self._keep(kind, self.job.failing_rows + 1 if kind == self.job.failing else 1)
        if why := self._reason(ended):
            pause(self.job, why, english(ended.detail))
            return False
        return True

    def _reason(self, ended: Ended) -> Job.Pause | None:
        count, error = self.job.failing_rows, ended.error
        if error and is_of_connection(error):
            return Job.Pause.CONNECTION
        if isinstance(error, RateLimited):
            return None  # jobs wait
        if is_not_the_rows_fault(ended):
            return Job.Pause.UNREACHABLE if count >= MOST_SILENT else None
        if error and error.trace.status == 403 and count >= MOST_FORBIDDEN:
            return Job.Pause.FORBIDDEN
        return Job.Pause.FAILURES if count >= MOST_ALIKE else None

    def _keep(self, kind: str, count: int) -> None:
        self.job.failing, self.job.failing_rows = kind, count
        Job.objects.filter(pk=self.job.pk).update(failing=kind, failing_rows=count)


def _kind_of(ended: Ended) -> str:
    """Return what kind of failure this is, "" if it is none."""
    if ended.state not in _FAILURES:
        return ""
    if ended.error is None:
        return f"{ended.state}: {english(ended.detail)}"[:100]
    trace = ended.error.trace
    codes = " ".join(sorted({detail.code for detail in ended.error.details}))
    return f"{ended.state}: {ended.error.kind} {trace.status or ''} {trace.code or ''} {codes}"[:100]
