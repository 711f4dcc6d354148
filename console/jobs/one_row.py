"""One row of a job, through `perform`: with the starter's access entered anew, once and never twice.

The submission of a row is its idempotency key: the record takes it once. So a row that a killed worker had started is
settled by its entry, and an unknown outcome by reading the user again. What cannot be read back stays unknown.
"""

import time
from dataclasses import dataclass, replace
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.access import OrgAccess
from console.actions.catalogue import BY_KEY
from console.actions.effect import shows
from console.actions.outcome import AlreadySubmitted, Conflict, Failed, Refused, Result, Unknown
from console.actions.shown import shown_of
from console.audit import entries
from console.audit.entries import Circumstances, Outcome, Subject, storable
from console.crawls import changes
from console.jobs import people, plan_rows
from console.jobs.drafts import require_to_prepare
from console.jobs.plan_action import PlanAction, action_of
from console.jobs.row_choice import key_of
from console.models import AuditEntry, Job, JobRow
from console.perform import resolve
from console.perform.undo import undo
from console.perform.user_operation import perform
from console.plans.runs import NotPossibleNow
from pingone_integration.errors import Duplicate, PingOneError
from pingone_integration.texts import Text
from pingone_integration.users import User

State = JobRow.State
IN_FLIGHT = timedelta(seconds=50)  # a request of a killed worker has ended by then
CREATED_AFTER_S = 5.0  # PingOne's search finds a new user a little later

_OF = {
    Outcome.SUCCEEDED: State.DONE,
    Outcome.NO_CHANGE: State.NO_CHANGE,
    Outcome.CONFLICT: State.CONFLICT,
    Outcome.REFUSED: State.REFUSED,
    Outcome.FAILED: State.FAILED,
}
_CHANGED = _("The user has changed since the preview. Nothing was changed.")
_FOUND = _("The user was looked up: they were created.")


@dataclass(frozen=True, kw_only=True)
class Ended:
    """What became of a row. `error`: PingOne's, if there is one.

    `was_killed`: the worker was killed, and it has not happened. That says nothing about PingOne, nor about the row.
    """

    state: JobRow.State
    detail: Text = ""
    entry: AuditEntry | None = None
    error: PingOneError | None = None
    user: User | None = None
    was_killed: bool = False


def wait(seconds: float) -> None:
    time.sleep(seconds)


def circumstances_of(job: Job, row: JobRow) -> Circumstances:
    return Circumstances(
        channel=AuditEntry.Channel.JOB,
        source_address=job.source_address,
        ticket=job.ticket,
        reason=job.reason,
        submission=row.submission,
        signed_in_at=job.signed_in_at,
        met_at=job.met_at,
        passes_brake=job.approved_at is not None,
        under=job.pk,
    )


def run(access: OrgAccess, job: Job, row: JobRow) -> Ended:
    """Run a row that is claimed. Raises PermissionDenied and Http404 if the starter may not do this any more.

    Raises BrakeReached, with nothing done and nothing on record.
    """
    access = access.again()
    action = action_of(job)
    require_to_prepare(access, action)
    if isinstance(action, PlanAction):
        return _started(access, job, row, action)
    try:
        result = _performed(access, job, row)
    except PingOneError as error:  # a user outside the starter's populations
        return Ended(state=State.FAILED, detail=error.title, error=error)
    ended = _ended_of(result)
    if ended.state == State.UNKNOWN:
        return settled(access, job, row, ended)
    if isinstance(ended.error, Duplicate) and row.attempt and row.user_id is None:
        return _created_before(access, job, row, ended)
    return ended


def _started(access: OrgAccess, job: Job, row: JobRow, action: PlanAction) -> Ended:
    """Start the run of a plan. What becomes of it is on its own page."""
    try:
        plan_rows.start(access, job, row, action, circumstances_of(job, row))
    except NotPossibleNow as refusal:
        return Ended(state=State.REFUSED, detail=refusal.reason)
    except PingOneError as error:
        return Ended(state=State.FAILED, detail=_told(error), error=error)
    return Ended(state=State.DONE)


def _performed(access: OrgAccess, job: Job, row: JobRow) -> Result:
    circumstances = circumstances_of(job, row)
    if row.undone_entry:
        undone = AuditEntry.objects.current().get(organization=access.org, entry=row.undone_entry)
        return undo(access, undone, circumstances, shown=row.shown.get("about"))
    action = BY_KEY[key_of(job, row)]
    inputs = action.inputs_on_record(row.inputs)
    user_id = row.user_id if action.needs_user else None
    shown = row.shown.get("about") if action.needs_user else None
    return perform(access, action, user_id, inputs, circumstances, shown=shown)


def _ended_of(result: Result) -> Ended:
    match result:
        case AlreadySubmitted(entry=entry):
            return of_entry(entry)
        case Refused(reason=reason, entry=entry):
            return Ended(state=State.REFUSED, detail=reason, entry=entry)
        case Conflict(entry=entry, error=error):
            return Ended(state=State.CONFLICT, detail=_CHANGED, entry=entry, error=error)
        case Failed(entry=entry, error=error):
            return Ended(state=State.FAILED, detail=_told(error), entry=entry, error=error)
        case Unknown(entry=entry, error=error):
            return Ended(state=State.UNKNOWN, detail=_told(error), entry=entry, error=error)
    return Ended(state=_OF[result.recorded_as], detail=result.note, entry=result.entry, user=result.user)


def of_entry(entry: AuditEntry) -> Ended:
    return Ended(state=_OF.get(Outcome(entry.outcome), State.UNKNOWN), detail=entry.note, entry=entry)


def settle_started(access: OrgAccess, job: Job, row: JobRow) -> Ended | None:
    """Return what became of a row that a killed worker had started; None if it never came to a write.

    Raises PingOneErrors if the user cannot be read now.
    """
    entry = entries.submitted(access.org, access.actor, row.submission)
    if entry is None:
        return None
    ended = of_entry(entry)
    if ended.state != State.UNKNOWN:
        return ended
    in_flight = entry.at + IN_FLIGHT - timezone.now()
    if entry.outcome == Outcome.STARTED and in_flight > timedelta():
        wait(in_flight.total_seconds())
    return settled(access, job, row, ended)


def settled(access: OrgAccess, job: Job, row: JobRow, ended: Ended) -> Ended:
    """Read the user again after an unknown outcome. What that does not show stays unknown, and is never repeated."""
    entry = ended.entry
    if entry is None:
        return ended
    try:
        read = resolve.read_back(access, entry) if entry.subject_id else _created(access, row, entry)
    except PingOneError:
        return ended
    except IntegrityError:  # the worker before has closed it after all
        read = AuditEntry.objects.current().get(entry=entry.entry)
    if read.outcome in {Outcome.STARTED, Outcome.UNKNOWN}:
        return ended
    read_back = of_entry(read)
    was_killed = ended.error is None and read_back.state == State.FAILED
    return replace(read_back, error=ended.error, was_killed=was_killed)


def _created(access: OrgAccess, row: JobRow, entry: AuditEntry) -> AuditEntry:
    """Close the entry of a new user by looking the username up: they are there, or nothing was created."""
    user = _looked_up(access, row.label)
    if user is None:
        wait(CREATED_AFTER_S)
        user = _looked_up(access, row.label)
    if user is None:
        return entries.close(entry, Outcome.FAILED, note=_NOT_CREATED)
    created = {"subject": _subject(user), "after": storable({"username": user.username}), "note": _FOUND}
    with transaction.atomic():
        closing = entries.close(entry, Outcome.SUCCEEDED, durable=False, **created)
        changes.follow(closing, user)
    return closing


def _created_before(access: OrgAccess, job: Job, row: JobRow, ended: Ended) -> Ended:
    """Return whether an earlier attempt of this job created the user, which the search did not show at that time."""
    user, profile = _looked_up(access, row.label), row.inputs["profile"]
    if user is None or user.created_at is None or job.started_at is None or user.created_at < job.started_at:
        return ended
    is_same = shows(profile, storable(shown_of(user, profile)))
    return replace(ended, state=State.DONE, detail=_FOUND, error=None, user=user) if is_same else ended


_NOT_CREATED = _("The user was looked up: they were not created.")


def _looked_up(access: OrgAccess, username: str) -> User | None:
    found = people.matching(access, access.pingone(), [("username", username)])
    return next(iter(found.get(("username", people.folded(username)), ())), None)


def _subject(user: User) -> Subject:
    return Subject(
        kind=AuditEntry.Subject.USER,
        id=user.id,
        name=user.username,
        full_name=user.name.whole,
        email=user.email,
        population_id=user.population_id,
    )


def _told(error: PingOneError) -> Text:
    return format_lazy("{}. {}", error.title, error.cause)
