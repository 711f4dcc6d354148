"""The single path that checks, records and runs operations: for page, fragment, Undo, Call API and command line."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db import transaction

from console.access import Acting, OrgAccess
from console.actions.demands import Demand
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
from console.approvals.requests import NotUsable, use
from console.audit import entries
from console.audit.entries import Circumstances, Subject, own_words
from console.crawls import changes
from console.limits import brake, count, reached
from console.limits.brake import BrakeReached
from console.limits.count import LimitReached
from console.models import ApprovalRequest, AuditEntry
from console.perform import approval, guards
from console.perform.guards import Attempt
from console.perform.operation import After, Before, NotPossible, Operation
from console.perform.told import tell_user
from console.protection import groups
from console.resets import sent
from pingone_integration.calls import empty_answers, transaction_id
from pingone_integration.errors import ChangedMeanwhile, NotFound, PingOneError
from pingone_integration.texts import Text, english
from pingone_integration.users import User

_WAIT_FOR_BRAKE = (AuditEntry.Channel.JOB, AuditEntry.Channel.RULE)  # and then try again
_APPROVAL = frozenset({Demand.APPROVAL})
MISTAKE = "The console failed while it called PingOne."  # stored


def run(access: Acting, operation: Operation, circumstances: Circumstances) -> Result:
    """Check, record and run one operation: the only way to change anything at PingOne, also for users themselves.

    The entry is written first and closed last: an entry left STARTED means that the process died. So no transaction
    may be open, and nothing around this may roll back. The submission is the idempotency key.
    Raises PermissionDenied, Http404 if the operator was removed from the organization, and NotFound for a narrowed
    operator if PingOne has no such user, or has one whom they may not see: nothing tells them which. For a job or
    rule, raises BrakeReached before anything is recorded.
    """
    access = access.again()
    access.require_to(operation)
    attempt = Attempt(access=access, operation=operation, circumstances=circumstances)
    if (ruling := guards.before_reading(attempt)).refusal:
        return refuse(access, operation, operation.subject, circumstances, ruling.refusal, demands=ruling.demands)
    if sent := entries.submitted(access.org, access.actor, circumstances.submission):
        return AlreadySubmitted(entry=sent)
    entry_id = transaction_id.take()
    with transaction_id.within(entry_id):
        return _recorded(attempt, entry_id)


def _recorded(attempt: Attempt, entry_id: UUID) -> Result:
    """Run the operation, with its log lines and calls under the ID of its entry."""
    access, operation, circumstances = attempt.access, attempt.operation, attempt.circumstances

    def start(before: Before, *, uses: ApprovalRequest | None = None) -> AuditEntry | Refused | AlreadySubmitted:
        try:
            row = entries.start(
                access.org,
                access.actor,
                operation.key,
                before.subject,
                entry=entry_id,
                circumstances=circumstances,
                inputs=operation.recorded_inputs(),
                before=before.values,
                check=_checks(circumstances, uses),
            )
        except NotUsable as gone:
            return refuse(access, operation, before.subject, circumstances, gone.reason, demands=_APPROVAL)
        except LimitReached as passed:
            return _past(access, operation, before, circumstances, passed)
        except BrakeReached as braked:
            if circumstances.channel in _WAIT_FOR_BRAKE:
                raise
            return refuse(access, operation, before.subject, circumstances, braked.reason)
        return row or _sent_before(access, circumstances)

    try:
        api = access.pingone(entry_id)
        before = operation.look(api)
        ruling = guards.after_reading(attempt, api, before)
    except NotPossible as refusal:
        return refuse(access, operation, operation.subject, circumstances, refusal.reason)
    except PingOneError as error:
        row = start(Before(subject=operation.subject))
        outcome = Conflict if isinstance(error, ChangedMeanwhile) else Failed
        ended = _ended(row, error, outcome=outcome) if isinstance(row, AuditEntry) else row
        if access.is_narrowed and isinstance(error, NotFound):
            raise
        return ended

    asks = circumstances.asks_approval and ruling.demands <= _APPROVAL and not ruling.hides
    if asks and (ruling.demands or not ruling.refusal):
        is_demanded, protects = bool(ruling.demands), ruling.protects
        return approval.ask(access, operation, circumstances, before, is_demanded=is_demanded, protects=protects)
    if ruling.refusal:
        refused = refuse(access, operation, before.subject, circumstances, ruling.refusal, demands=ruling.demands)
        if ruling.hides:
            raise NotFound("outside the operator's populations")
        return refused
    row = start(before, uses=ruling.approval)
    if not isinstance(row, AuditEntry):
        return row
    try:
        with empty_answers.collected() as empty, groups.unread_while(access.org, operation.affected):
            result = operation.run(api)
    except PingOneError as error:
        if operation.was_so(before, error):
            return _unchanged(row, before, error)
        kind = kind_of(error)
        return kind(error=error, entry=_closed(attempt, row, kind, before, error=error))
    except Exception:
        _closed(attempt, row, Unknown, before, note=MISTAKE)
        raise
    try:
        after = operation.settle(api, before, result, empty=empty[-1] if empty else None)
    except Exception:
        _closed(attempt, row, Unknown, before, note=MISTAKE)
        raise
    closing = _closed(
        attempt,
        row,
        after.outcome,
        before,
        user=after.user,
        subject=after.subject,
        after=after.values,
        note=english(after.note),
        error=after.error,
    )
    sent.keep(operation.affected, closing, after.user or before.user)
    return _result(after, closing)


def _checks(circumstances: Circumstances, uses: ApprovalRequest | None) -> Callable[[AuditEntry], None]:
    def check(row: AuditEntry) -> None:
        count.check(row)
        if not circumstances.passes_brake:
            brake.check(row)
        if uses:
            use(uses, entry=row.entry)

    return check


def _closed(
    attempt: Attempt,
    row: AuditEntry,
    outcome: type[Done | NoChange | Conflict | Failed | Unknown],
    before: Before,
    *,
    user: User | None = None,
    **more: Any,
) -> AuditEntry:
    """Close the entry, and at once write what follows: emails to the user, work of rules. `user`: as read after."""
    ended = outcome.recorded_as
    with transaction.atomic():
        tell_user(row, ended, attempt.operation.affected, before.user, user)
        closing = entries.close(row, ended, durable=False, **more)
        changes.follow(closing, user)
        return closing


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


def _past(
    access: Acting, operation: Operation, before: Before, circumstances: Circumstances, passed: LimitReached
) -> Refused | AlreadySubmitted:
    """Refuse an operation that would go past a limit, and tell the org admins."""
    result = refuse(access, operation, before.subject, circumstances, passed.reason)
    if isinstance(access, OrgAccess) and isinstance(result, Refused) and result.entry:
        reached.refused(access, passed, subject_name=result.entry.subject_name)
    return result


def refuse(
    access: Acting,
    operation: Operation,
    subject: Subject,
    circumstances: Circumstances,
    reason: Text,
    *,
    demands: frozenset[Demand] = frozenset(),
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
    return Refused(reason=str(reason), entry=entry, demands=demands) if entry else _sent_before(access, circumstances)


def _sent_before(access: Acting, circumstances: Circumstances) -> AlreadySubmitted:
    """Return the outcome of a double-submit: the same form was sent at the same moment, and the other request won."""
    entry = entries.submitted(access.org, access.actor, circumstances.submission)
    assert entry is not None  # noqa: S101 - the constraint that kept ours out has seen it
    return AlreadySubmitted(entry=entry)
