"""The single path that checks, records and runs operations: for page, fragment, Undo, Call API and command line."""

from dataclasses import dataclass
from typing import Any, Protocol
from uuid import uuid4

from console.access import OrgAccess, Permission
from console.actions.action import Json
from console.actions.outcome import (
    AlreadySubmitted,
    Conflict,
    Done,
    Failed,
    NoChange,
    Refused,
    Result,
    Unknown,
    kind_of,
)
from console.audit import entries
from console.audit.entries import Circumstances, Outcome, Subject, own_words
from console.models import AuditEntry
from console.models.tickets import ticket_policy
from pingone_integration.calls import empty_answers
from pingone_integration.calls.api import PingOneApi
from pingone_integration.errors import PingOneError, Trace
from pingone_integration.texts import Text, english
from pingone_integration.users import User

MISTAKE = "The console failed while it called PingOne."  # stored


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
    user: User | None = None


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

    def problem_with(self, access: OrgAccess, circumstances: Circumstances) -> Text:
        """Return why this operator may not run it like this, or "" if they may."""

    def recorded_inputs(self) -> Json:
        """Return the inputs without secrets."""

    def look(self, api: PingOneApi) -> Before:
        """Read the state before the run. Raises PingOneErrors, and NotPossible."""

    def run(self, api: PingOneApi) -> Any:
        """Run the operation. Raises PingOneErrors."""

    def was_so(self, before: Before, refusal: PingOneError) -> bool:
        """Return whether PingOne refuses only because there is nothing to change, as the state before shows."""

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
    if problem := operation.problem_with(access, circumstances):
        return refuse(access, operation, operation.subject, circumstances, problem)
    if operation.asks_for_ticket:
        problem = ticket_policy(access.org, operation.key).problem_with(circumstances.ticket)
        if problem:
            return refuse(access, operation, operation.subject, circumstances, problem)
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
        return refuse(access, operation, operation.subject, circumstances, refusal.reason)
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
        if operation.was_so(before, error):
            return _unchanged(row, before, error)
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
        return NoChange(entry=entry, user=after.user, note=after.note)
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


def _unchanged(row: AuditEntry, before: Before, refusal: PingOneError) -> NoChange:
    """Close the entry of an action that had nothing to change. The note has the refusal's own words, if any."""
    note = own_words(refusal)
    entry = entries.close(row, NoChange.recorded_as, after=before.values, note=english(note))
    return NoChange(entry=entry, user=before.user, note=note)


def _ended(row: AuditEntry, error: PingOneError, *, outcome: type[Conflict | Failed | Unknown]) -> Result:
    return outcome(error=error, entry=entries.close(row, outcome.recorded_as, error=error))


def refuse(
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
