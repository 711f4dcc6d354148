"""The single path that checks, records and runs an action: for page, fragment and command line alike."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4, uuid5

from django.utils import timezone

from console.access import OrgAccess, enter_org
from console.actions.action import Action
from console.actions.catalogue import BY_KEY
from console.audit import entries
from console.audit.entries import AlreadySubmitted, Circumstances, Outcome, Subject, storable
from console.models import AuditEntry
from console.models.tickets import ticket_policy
from pingone_integration import users
from pingone_integration.calls import deadline
from pingone_integration.calls.api import PingOneApi
from pingone_integration.errors import (
    ConnectionFailure,
    MissingPermission,
    NotFound,
    PingOneError,
    RateLimited,
    Unavailable,
)
from pingone_integration.profiles import Written
from pingone_integration.users import User

Json = dict[str, Any]

UNREAD = "It could not be read back."
UNSEEN = "PingOne took it, but does not show it: look again in a moment."
LOOK_AGAIN_S = 2.0  # however long the page has been waiting for PingOne already
MOST_AT_ONCE = 20  # actions on one user: somebody waits for the answer
LONGEST_RUN = timedelta(minutes=5)  # all calls of one action together have long timed out by then


class Refused(Exception):
    """The console does not do this; the text says why. Nothing was tried, and nothing is on record."""


@dataclass(frozen=True, kw_only=True)
class Performed:
    """An action that ran, and how things stand now."""

    entry: AuditEntry  # its closing row
    result: Any  # what the call returned: a secret of `action.secret_result`, a user, a count
    user: User | None  # read back afterwards; None: gone, or it could not be read
    is_gone: bool  # PingOne has no such user any more
    is_seen: bool  # read back, and it shows what the action is for


def perform(
    access: OrgAccess, action: Action, user_id: UUID | None, inputs: Mapping[str, Any], circumstances: Circumstances
) -> Performed:
    """Check, record and run one action: the only way to it.

    The entry is written first and closed last: one left STARTED tells of a process that died. So nothing around this
    may roll back, and no transaction may be open.
    Raises PermissionDenied, Http404 for somebody who was removed meanwhile, Refused, AlreadySubmitted for a form that
    was sent before, and the PingOneError of a call that failed or whose outcome is unknown.
    """
    access = enter_org(access.operator, access.org.slug)  # anew: a right may have been taken away since
    access.require(action.permission)
    if problem := ticket_policy(access.org, action.key).problem_with(circumstances.ticket):
        raise Refused(problem)
    entries.raise_if_submitted(access.org, access.operator, circumstances.submission)
    entry_id = uuid4()

    def started(user: User | None, before: Json | None) -> AuditEntry:
        return entries.start(
            access.org,
            access.operator,
            action.key,
            _subject(user_id, user),
            entry=entry_id,
            circumstances=circumstances,
            inputs=action.record_of(inputs),
            before=before,
        )

    try:
        api = access.pingone(entry_id)
        user = users.get(api, user_id) if user_id else None
        before = _before(api, action, user, inputs)
    except PingOneError as error:
        entries.close(started(None, None), Outcome.FAILED, error=error)
        raise

    row = started(user, before)
    try:
        result = action.call(api, *([user_id] if action.needs_user else []), **inputs)
    except PingOneError as error:
        entries.close(row, Outcome.FAILED if error.outcome_known else Outcome.UNKNOWN, error=error)
        raise
    except Exception:
        entries.close(row, Outcome.UNKNOWN, note="The console made a mistake while PingOne was being called.")
        raise

    user_id = result.user.id if isinstance(result, Written) else user_id
    if user_id is None:
        raise TypeError(f"{action.key} neither takes nor returns a user")
    with deadline.at_least(LOOK_AGAIN_S):
        again = _look_again(api, action, user_id, inputs)
    expected = storable(action.expected(inputs)) or {}
    is_seen = again.was_read and expected.items() <= storable(again.values or {}).items()
    note = action.note_of(result)  # may say better what did not come about
    if not again.was_read:
        note = f"{note} {UNREAD}".strip()
    elif not is_seen:
        note = note or UNSEEN
    closing = entries.close(
        row,
        Outcome.SUCCEEDED,
        subject=None if row.subject_id else _subject(user_id, again.user),
        after=again.values,
        note=note,
    )
    is_gone = again.was_read and again.user is None
    return Performed(entry=closing, result=result, user=again.user, is_gone=is_gone, is_seen=is_seen)


def undo(access: OrgAccess, entry: AuditEntry, circumstances: Circumstances) -> Performed:
    """Run the inverse of what `entry`, its latest row, tells of: an action of its own, with its own entry.

    Raises Refused when there is no inverse, when it was undone already, or when the user has changed since; else as
    `perform`.
    """
    action = BY_KEY.get(entry.action)
    if action is None or action.undo is None or entry.outcome != Outcome.SUCCEEDED:
        raise Refused("This cannot be undone.")
    inverse = BY_KEY[action.undo.action]
    access.require(inverse.permission)
    entries.raise_if_submitted(access.org, access.operator, circumstances.submission)
    undone = AuditEntry.objects.current().filter(organization=access.org, undoes=entry.entry)
    if undone.exclude(outcome=Outcome.FAILED).exists():
        raise Refused("This was undone already, or is being undone.")
    try:
        inputs = action.undo.inputs(entry.before or {}, entry.inputs)
    except (KeyError, TypeError, ValueError):
        raise Refused("The values before it are not on record.") from None
    user_id = UUID(entry.subject_id)
    api = access.pingone()
    now = storable(action.observe(api, users.get(api, user_id), _inputs_of(entry)))
    if now != entry.after:
        raise Refused(f"{entry.subject_name} has changed since, so that undoing could take back more than this.")
    return perform(access, inverse, user_id, inputs, replace(circumstances, undoes=entry.entry))


def resolve(access: OrgAccess, entry: AuditEntry) -> AuditEntry:
    """Read the user again after an unknown outcome, and close the entry if that tells what happened; its latest row.

    Raises a PingOneError when the user cannot be read now.
    """
    action = BY_KEY.get(entry.action)
    if not is_open(entry) or action is None or not entry.subject_id:
        return entry
    api = access.pingone()
    try:
        user: User | None = users.get(api, UUID(entry.subject_id))
    except NotFound:
        user = None
    inputs = _inputs_of(entry)
    now = storable(action.observe(api, user, inputs))
    expected = storable(action.expected(inputs))
    if expected is not None and expected.items() <= now.items():
        outcome, note = Outcome.SUCCEEDED, "The user was read again: it has happened."
    elif expected is not None and now == entry.before:
        outcome, note = Outcome.FAILED, "The user was read again: it has not happened."
    else:
        return entry
    return entries.close(entry, outcome, after=now, note=f"{note} Read by {access.operator.email}.")


def is_open(entry: AuditEntry) -> bool:
    """Whether nobody knows what came of it: the answer was lost, or the process that ran it died."""
    died = entry.outcome == Outcome.STARTED and entry.at < timezone.now() - LONGEST_RUN
    return died or entry.outcome == Outcome.UNKNOWN


def _before(api: PingOneApi, action: Action, user: User | None, inputs: Mapping[str, Any]) -> Json | None:
    """None also where the values cannot be seen: that alone keeps nobody from acting."""
    try:
        return action.observe(api, user, inputs) if user else None
    except (MissingPermission, NotFound):
        return None


@dataclass(frozen=True, kw_only=True)
class _Look:
    """How things stand at PingOne."""

    user: User | None = None  # None: gone, or not read
    values: Json | None = None
    was_read: bool = False


def _look_again(api: PingOneApi, action: Action, user_id: UUID, inputs: Mapping[str, Any]) -> _Look:
    """What has been done is done, whether or not this succeeds."""
    try:
        try:
            user: User | None = users.get(api, user_id)
        except NotFound:
            user = None
        return _Look(user=user, values=action.observe(api, user, inputs), was_read=True)
    except PingOneError:
        return _Look()


def _subject(user_id: UUID | None, user: User | None) -> Subject:
    return Subject(kind=AuditEntry.Subject.USER, id=user_id or "", name=user.username if user else "")


def _inputs_of(entry: AuditEntry) -> Json:
    """The recorded inputs as `observe` takes them: ids as UUIDs again."""
    return {name: UUID(value) if name.endswith("_id") and value else value for name, value in entry.inputs.items()}


@dataclass(frozen=True, kw_only=True)
class Step:
    """One action to run, and how it is called where its outcome is told."""

    action: Action
    name: str
    inputs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Result:
    """What came of a step."""

    step: Step
    problem: str = ""  # why not; empty: it is done
    kind: str = ""  # of PingOne's error, where it is one


def perform_each(access: OrgAccess, user_id: UUID, steps: Iterable[Step], circumstances: Circumstances) -> list[Result]:
    """Run all steps, whichever fail; once PingOne does not answer, the rest is not tried.

    The same submission again runs none of them again. Raises PermissionDenied, and Http404, as `perform`.
    """
    results: list[Result] = []
    silent = False
    for step in steps:
        own = uuid5(circumstances.submission, f"{step.action.key} {sorted(step.inputs.items())}")
        problem, kind = "", ""
        if silent:
            problem = "Not tried, since PingOne did not answer before."
        else:
            try:
                perform(access, step.action, user_id, step.inputs, replace(circumstances, submission=own))
            except Refused as refused:
                problem = str(refused)
            except AlreadySubmitted as sent:
                if sent.entry.outcome != Outcome.SUCCEEDED:
                    problem = "This was sent before, and did not succeed."
            except PingOneError as error:
                silent = isinstance(error, ConnectionFailure | RateLimited | Unavailable)
                unknown = "" if error.outcome_known else " It may have happened or not."
                said = " ".join(detail.message for detail in error.details if detail.message)
                kind, problem = error.kind, f"{error.title}.{unknown}" + (f" PingOne says: {said}" if said else "")
        results.append(Result(step=step, problem=problem, kind=kind))
    return results
