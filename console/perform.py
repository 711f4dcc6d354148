"""The single path that checks, records and runs operations: for page, fragment, Undo, Call API and command line."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Protocol
from uuid import UUID, uuid4, uuid5

from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.access import OrgAccess, Permission
from console.actions.action import Action, Json
from console.actions.catalogue import BY_KEY
from console.actions.effect import Seen, is_as_recorded
from console.actions.outcome import (
    AlreadySubmitted,
    Conflict,
    Done,
    Failed,
    NoChange,
    Refused,
    Result,
    Unknown,
    error_of,
    kind_of,
)
from console.audit import entries
from console.audit.entries import Circumstances, Outcome, Subject, storable
from console.models import AuditEntry
from console.models.tickets import ticket_policy
from pingone_integration import users
from pingone_integration.calls import deadline, empty_answers
from pingone_integration.calls.api import PingOneApi
from pingone_integration.errors import (
    ConnectionFailure,
    MissingPermission,
    NotFound,
    PingOneError,
    RateLimited,
    Trace,
    Unavailable,
)
from pingone_integration.texts import Text, english
from pingone_integration.users import User

UNREAD = _("The result could not be verified.")
MISTAKE = "The console failed while it called PingOne."  # stored
LOOK_AGAIN_S = 2.0  # even if the page's deadline is over
MOST_AT_ONCE = 20  # actions on one user: an operator waits for the answer
LONGEST_RUN = timedelta(minutes=5)  # by then, all calls of one action have timed out


class NotPossible(Exception):
    """The values read before an operation show that it must not run. The reason says why."""

    def __init__(self, reason: Text) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, kw_only=True)
class Before:
    """The subject and the values of an operation, as read before it runs."""

    subject: Subject
    values: Json | None = None  # for the record; None if not read


@dataclass(frozen=True, kw_only=True)
class After:
    """The outcome of an operation: its own part of the result and of the closing row."""

    outcome: type[Done | NoChange | Failed | Unknown]
    result: Any = None
    subject: Subject | None = None  # if it was not known before
    values: Json | None = None
    note: Text = ""
    error: PingOneError | None = None  # of Failed and Unknown
    user: User | None = None
    is_gone: bool = False
    is_seen: bool = True


class Operation(Protocol):
    """One checked and recorded operation at PingOne: an action on a user, or a call of any endpoint."""

    @property
    def key(self) -> str:
        """Return the key for the audit log."""

    @property
    def permission(self) -> Permission: ...

    @property
    def asks_for_ticket(self) -> bool:
        """Return whether the organization's ticket policy for `key` applies."""

    @property
    def subject(self) -> Subject:
        """Return the subject, as far as it is known before a call to PingOne."""

    def recorded_inputs(self) -> Json:
        """Return the inputs without secrets."""

    def look(self, api: PingOneApi) -> Before:
        """Read the state before the run. Raises PingOneErrors, and NotPossible."""

    def run(self, api: PingOneApi) -> Any:
        """Run the operation. Raises PingOneErrors."""

    def settle(self, api: PingOneApi, before: Before, result: Any, *, empty: Trace | None) -> After:
        """Return the outcome of `run`, which returned `result`. Raises nothing.

        `empty` is the trace of an answer without content that proves nothing, or None.
        """


def run(access: OrgAccess, operation: Operation, circumstances: Circumstances) -> Result:
    """Check, record and run one operation: the only way to change anything at PingOne.

    The entry is written first and closed last: an entry left STARTED means that the process died. So no transaction
    may be open, and nothing around this may roll back. The submission is the idempotency key.
    Raises PermissionDenied, and Http404 if the operator was removed from the organization.
    """
    access = access.again()
    access.require(operation.permission)
    if operation.asks_for_ticket:
        problem = ticket_policy(access.org, operation.key).problem_with(circumstances.ticket)
        if problem:
            return _refuse(access, operation, operation.subject, circumstances, problem)
    if sent := entries.submitted(access.org, access.actor, circumstances.submission):
        return AlreadySubmitted(entry=sent)
    entry_id = uuid4()

    def start(before: Before) -> AuditEntry | None:
        return entries.start(
            access.org,
            access.actor,
            operation.key,
            before.subject,
            entry=entry_id,
            circumstances=circumstances,
            inputs=operation.recorded_inputs(),
            before=before.values,
        )

    try:
        api = access.pingone(entry_id)
        before = operation.look(api)
    except NotPossible as refusal:
        return _refuse(access, operation, operation.subject, circumstances, refusal.reason)
    except PingOneError as error:
        row = start(Before(subject=operation.subject))
        return _ended(row, error, outcome=Failed) if row else _sent_before(access, circumstances)

    row = start(before)
    if row is None:
        return _sent_before(access, circumstances)
    try:
        with empty_answers.collected() as empty:
            result = operation.run(api)
    except PingOneError as error:
        return _ended(row, error, outcome=kind_of(error))
    except Exception:
        entries.close(row, Outcome.UNKNOWN, note=MISTAKE)
        raise
    try:
        after = operation.settle(api, before, result, empty=empty[-1] if empty else None)
    except Exception:
        entries.close(row, Outcome.UNKNOWN, note=MISTAKE)
        raise
    closing = entries.close(
        row,
        after.outcome.recorded_as,
        subject=after.subject,
        after=after.values,
        note=english(after.note),
        error=after.error,
    )
    return _result(after, closing)


def _result(after: After, entry: AuditEntry) -> Result:
    if after.outcome is NoChange:
        return NoChange(entry=entry, user=after.user)
    if after.outcome is Done:
        return Done(
            entry=entry,
            result=after.result,
            note=after.note,
            user=after.user,
            is_gone=after.is_gone,
            is_seen=after.is_seen,
        )
    kind = Unknown if after.outcome is Unknown else Failed
    return kind(entry=entry, error=after.error or PingOneError(), result=after.result)


def _ended(row: AuditEntry, error: PingOneError, *, outcome: type[Conflict | Failed | Unknown]) -> Result:
    return outcome(error=error, entry=entries.close(row, outcome.recorded_as, error=error))


def _refuse(
    access: OrgAccess, operation: Operation, subject: Subject, circumstances: Circumstances, reason: Text
) -> Refused | AlreadySubmitted:
    entry = entries.refuse(
        access.org,
        access.actor,
        operation.key,
        subject,
        circumstances=circumstances,
        inputs=operation.recorded_inputs(),
        reason=english(reason),
    )
    return Refused(reason=str(reason), entry=entry) if entry else _sent_before(access, circumstances)


def _sent_before(access: OrgAccess, circumstances: Circumstances) -> AlreadySubmitted:
    """Return the outcome of a double-submit: the same form was sent at the same moment, and the other request won."""
    entry = entries.submitted(access.org, access.actor, circumstances.submission)
    assert entry is not None  # noqa: S101 - the constraint that kept ours out has seen it
    return AlreadySubmitted(entry=entry)


def perform(
    access: OrgAccess, action: Action, user_id: UUID | None, inputs: Mapping[str, Any], circumstances: Circumstances
) -> Result:
    """Run one action of the catalogue on one user. Raises as `run`."""
    return run(access, UserOperation(action=action, user_id=user_id, inputs=inputs), circumstances)


@dataclass(frozen=True, kw_only=True)
class Restored:
    """The entry that an Undo reverses, and its action."""

    action: Action
    entry: AuditEntry


@dataclass(frozen=True, kw_only=True)
class UserOperation:
    """An action of the catalogue on one user."""

    action: Action
    user_id: UUID | None  # None if there is no user yet
    inputs: Mapping[str, Any]
    restores: Restored | None = None

    @property
    def key(self) -> str:
        return self.action.key

    @property
    def permission(self) -> Permission:
        return self.action.permission

    @property
    def asks_for_ticket(self) -> bool:
        return True

    @property
    def subject(self) -> Subject:
        name = self.restores.entry.subject_name if self.restores else ""
        return Subject(kind=AuditEntry.Subject.USER, id=self.user_id or "", name=name)

    def recorded_inputs(self) -> Json:
        return self.action.record_of(self.inputs)

    def look(self, api: PingOneApi) -> Before:
        user = users.get(api, self.user_id) if self.user_id else None
        if user and self.restores:
            _raise_if_changed(api, user, self.restores)
        try:
            values = self.action.observe(api, user, self.inputs) if user else None
        except (MissingPermission, NotFound):  # unreadable values do not prevent the action
            values = None
        return Before(subject=_subject(self.user_id, user), values=values)

    def run(self, api: PingOneApi) -> Any:
        return self.action.call(api, *([self.user_id] if self.action.needs_user else []), **self.inputs)

    def settle(self, api: PingOneApi, before: Before, result: Any, *, empty: Trace | None) -> After:
        action = self.action
        user_id = action.subject_of(result).id if action.subject_of else self.user_id
        if user_id is None:
            raise TypeError(f"{action.key} neither takes nor returns a user")
        with deadline.at_least(LOOK_AGAIN_S):
            again = _look_until_seen(api, action, user_id, self.inputs)
        seen = Seen(
            expected=storable(action.expected(self.inputs)) or {},
            before=storable(before.values),
            after=storable(again.values) or {},
            was_read=again.was_read,
        )
        note = "" if empty else action.note_of(result)  # may explain a missing effect
        outcome = seen.outcome(explained=bool(note), is_proof=empty is None or action.goes_by_answer)
        if not again.was_read:
            note = format_lazy("{} {}", note, UNREAD) if note else UNREAD
        return After(
            outcome=outcome,
            result=result,
            subject=None if self.user_id else _subject(user_id, again.user),
            values=again.values,
            note=note,
            error=(_no_proof(empty) if empty else _not_shown()) if outcome is Unknown else None,
            user=again.user,
            is_gone=again.was_read and again.user is None,
            is_seen=seen.has_effect and (empty is not None or action.is_complete(result)),
        )


def undo(access: OrgAccess, entry: AuditEntry, circumstances: Circumstances) -> Result:
    """Run the inverse of the action of `entry` (its latest row), as a separate action with its own entry.

    Refused if there is no inverse, if it was undone already, or if the user has changed since. Raises as `run`.
    """
    action, inverse = BY_KEY.get(entry.action), inverse_of(entry)
    if action is None or action.undo is None or inverse is None or entry.outcome != Outcome.SUCCEEDED:
        return Refused(reason=_("This cannot be undone."), entry=None)
    access.require(inverse.permission)
    if sent := entries.submitted(access.org, access.actor, circumstances.submission):
        return AlreadySubmitted(entry=sent)
    circumstances = replace(circumstances, undoes=entry.entry)
    restores = Restored(action=action, entry=entry)
    operation = UserOperation(action=inverse, user_id=UUID(entry.subject_id), inputs={}, restores=restores)
    if undo_of(entry):
        problem: Text = _("This was already undone, or is being undone.")
        return _refuse(access, operation, operation.subject, circumstances, problem)
    try:
        inputs = action.undo.inputs(entry.before or {}, entry.inputs)
    except (KeyError, TypeError, ValueError):
        problem = _("This cannot be undone: the values before it were not recorded.")
        return _refuse(access, operation, operation.subject, circumstances, problem)
    return run(access, replace(operation, inputs=inputs), circumstances)


def inverse_of(entry: AuditEntry) -> Action | None:
    """Return the action that reverses the action of `entry`, or None if there is none."""
    action = BY_KEY.get(entry.action)
    return BY_KEY[action.undo.action] if action and action.undo else None


def undo_of(entry: AuditEntry) -> AuditEntry | None:
    """Return the latest row of the undo that reversed `entry`, may have, or is about to; or None if there is none."""
    took_effect = (Outcome.STARTED, Outcome.SUCCEEDED, Outcome.NO_CHANGE, Outcome.UNKNOWN)
    return (
        AuditEntry.objects.current()
        .filter(organization_id=entry.organization_id, undoes=entry.entry, outcome__in=took_effect)
        .first()
    )


def _raise_if_changed(api: PingOneApi, user: User, restores: Restored) -> None:
    """Raise NotPossible if the user has changed since the entry."""
    entry = restores.entry
    now = storable(restores.action.observe(api, user, restores.action.inputs_on_record(entry.inputs)))
    if not is_as_recorded(now, entry.after):
        reason = _("{user} has changed since then. Undo is not available, because it could revert those changes too.")
        raise NotPossible(format_lazy(reason, user=entry.subject_name))


def resolve(access: OrgAccess, entry: AuditEntry) -> AuditEntry:
    """Read the user again after an unknown outcome. Close the entry if that shows the outcome; return its latest row.

    Raises a PingOneError if the user cannot be read now.
    """
    action = BY_KEY.get(entry.action)
    if not is_open(entry) or action is None or not entry.subject_id:
        return entry
    api = access.pingone()
    try:
        user: User | None = users.get(api, UUID(entry.subject_id))
    except NotFound:
        user = None
    inputs = action.inputs_on_record(entry.inputs)
    now = storable(action.observe(api, user, inputs))
    expected = storable(action.expected(inputs))
    if expected is not None and expected.items() <= now.items():
        outcome, note = Outcome.SUCCEEDED, "The user was checked again: it has happened."
    elif expected is not None and is_as_recorded(now, entry.before):
        outcome, note = Outcome.FAILED, "The user was checked again: it has not happened."
    else:
        return entry
    return entries.close(entry, outcome, after=now, note=f"{note} Checked by {access.operator.email}.")


def is_open(entry: AuditEntry) -> bool:
    """Return whether the outcome is unknown: the answer was lost, or the process died."""
    died = entry.outcome == Outcome.STARTED and entry.at < timezone.now() - LONGEST_RUN
    return died or entry.outcome == Outcome.UNKNOWN


@dataclass(frozen=True, kw_only=True)
class _Look:
    """The state at PingOne after an action."""

    user: User | None = None  # None if gone or not read
    values: Json | None = None
    was_read: bool = False


def _look_again(api: PingOneApi, action: Action, user_id: UUID, inputs: Mapping[str, Any]) -> _Look:
    """Read the state after an action. A PingOneError here does not change the outcome: the state stays unread."""
    try:
        try:
            user: User | None = users.get(api, user_id)
        except NotFound:
            user = None
        return _Look(user=user, values=action.observe(api, user, inputs), was_read=True)
    except PingOneError:
        return _Look()


def _look_until_seen(api: PingOneApi, action: Action, user_id: UUID, inputs: Mapping[str, Any]) -> _Look:
    """Read the state after an action, and once more if it does not show the effect."""
    again = _look_again(api, action, user_id, inputs)
    expected = storable(action.expected(inputs)) or {}
    if again.was_read and not expected.items() <= (storable(again.values) or {}).items():
        return _look_again(api, action, user_id, inputs)
    return again


def _no_proof(trace: Trace) -> PingOneError:
    """Return the error of a success without content: something in between may have answered for PingOne."""
    return Unavailable("no content", outcome_known=False, trace=trace)


def _not_shown() -> PingOneError:
    error = Unavailable("accepted, but not shown", outcome_known=False)
    error.title = _("PingOne accepted the change, but does not show it")
    error.cause = _("The console read the user twice after the change, and the change was not there.")
    error.resolution = _("Reload the page in a moment, and check the current state before you try again.")
    return error


def _subject(user_id: UUID | None, user: User | None) -> Subject:
    about = Subject(kind=AuditEntry.Subject.USER, id=user_id or "")
    return replace(about, name=user.username, full_name=user.name.whole, email=user.email) if user else about


@dataclass(frozen=True, kw_only=True)
class Step:
    """One of several actions on a user, and its name beside its outcome."""

    action: Action
    name: Text
    inputs: Mapping[str, Any] = field(default_factory=dict)


def perform_each(
    access: OrgAccess, user_id: UUID, steps: Iterable[Step], circumstances: Circumstances
) -> list[tuple[Step, Result | None]]:
    """Run all steps, even if some fail. Once PingOne does not answer, the remaining results are None (not tried).

    The same submission never runs a step again. Raises as `run`.
    """
    results: list[tuple[Step, Result | None]] = []
    silent = False
    for step in steps:
        own = uuid5(circumstances.submission, f"{step.action.key} {sorted(step.inputs.items())}")
        result = None
        if not silent:
            result = perform(access, step.action, user_id, step.inputs, replace(circumstances, submission=own))
            silent = isinstance(error_of(result), ConnectionFailure | RateLimited | Unavailable)
        results.append((step, result))
    return results
