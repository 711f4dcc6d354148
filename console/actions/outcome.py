"""The outcome of an action: a sum type. Only this module maps each case to the audit log and to words.

`perform` returns an outcome for page, fragment, several actions, new user, Undo, Call API and command line alike.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from django.contrib.messages import constants as levels

from console.actions.action import Action
from console.models import AuditEntry
from pingone_integration.errors import ChangedMeanwhile, PingOneError
from pingone_integration.users import User

Outcome = AuditEntry.Outcome


@dataclass(frozen=True, kw_only=True)
class Done:
    """The action happened."""

    recorded_as: ClassVar[Outcome] = Outcome.SUCCEEDED

    entry: AuditEntry  # its closing row
    result: Any = None  # of the call: a secret of `action.secret_result`, a user, a count, PingOne's answer
    user: User | None = None  # read back afterwards; None if gone or not readable
    is_gone: bool = False  # PingOne no longer has this user
    is_seen: bool = True  # the user was read back, with the full effect


@dataclass(frozen=True, kw_only=True)
class NoChange:
    """Nothing had to change: PingOne was asked, and the user is as before."""

    recorded_as: ClassVar[Outcome] = Outcome.NO_CHANGE

    entry: AuditEntry
    user: User | None = None


@dataclass(frozen=True, kw_only=True)
class AlreadySubmitted:
    """This form was submitted before (double-submit): `entry` is its latest row. Nothing was done again."""

    recorded_as: ClassVar[Outcome] = Outcome.REFUSED  # only for programs: this case adds no row

    entry: AuditEntry


@dataclass(frozen=True, kw_only=True)
class Refused:
    """The console refuses the action; `reason` says why. PingOne was not asked to change anything."""

    recorded_as: ClassVar[Outcome] = Outcome.REFUSED

    reason: str
    entry: AuditEntry | None  # None if there is no action to record


@dataclass(frozen=True, kw_only=True)
class Conflict:
    """The user had changed since the form was opened (optimistic locking): nothing was written."""

    recorded_as: ClassVar[Outcome] = Outcome.CONFLICT

    error: PingOneError
    entry: AuditEntry


@dataclass(frozen=True, kw_only=True)
class Failed:
    """The action did not happen."""

    recorded_as: ClassVar[Outcome] = Outcome.FAILED

    error: PingOneError
    entry: AuditEntry
    result: Any = None  # of Call API: PingOne's answer


@dataclass(frozen=True, kw_only=True)
class Unknown:
    """The outcome is unknown: the action may have happened, but PingOne's answer was lost."""

    recorded_as: ClassVar[Outcome] = Outcome.UNKNOWN

    error: PingOneError
    entry: AuditEntry
    result: Any = None  # of Call API: PingOne's answer


Result = Done | NoChange | AlreadySubmitted | Refused | Conflict | Failed | Unknown


def kind_of(error: PingOneError) -> type[Conflict | Failed | Unknown]:
    """Return the case for a call that ended with `error`."""
    if isinstance(error, ChangedMeanwhile):
        return Conflict
    return Failed if error.outcome_known else Unknown


_AGAIN = "Press the button again to try once more."
_SUBMITTED_BEFORE = {
    Outcome.STARTED: "This was sent before and is still being done.",
    Outcome.SUCCEEDED: "This was sent before and is done.",
    Outcome.NO_CHANGE: "This was sent before, and there was nothing to change.",
    Outcome.CONFLICT: f"This was sent before, and the user had changed meanwhile. {_AGAIN}",
    Outcome.REFUSED: f"This was sent before and was refused. {_AGAIN}",
    Outcome.FAILED: f"This was sent before and has failed. {_AGAIN}",
    Outcome.UNKNOWN: "This was sent before, and nobody knows yet whether it happened.",
}
_NOT_TRIED = "Not tried, since PingOne did not answer before."
_MAY_HAVE_HAPPENED = "It may have happened or not."
NOT_KEPT = "What it showed once is not kept; press the button again for another."


@dataclass(frozen=True, kw_only=True)
class Notice:
    """A sentence for the operator, its severity, and the entry that its Undo reverses."""

    level: int  # one of django.contrib.messages.constants
    text: str
    undoes: UUID | None = None
    kind: str = ""  # of PingOne's error, if the text describes an error


def notice_of(
    result: Result, action: Action, *, name: str, in_words: Callable[[PingOneError], str], may_undo: bool = False
) -> Notice:
    """Return the notice for the operator. `name` is the user's; `in_words` turns an error into sentences."""
    match result:
        case Done(entry=entry):
            text = f"{action.done}: {name}."
            undoes = entry.entry if may_undo and action.undo and entry.after is not None else None
            level = levels.SUCCESS if result.is_seen else levels.WARNING
            return Notice(level=level, text=_sentences(text, entry.note), undoes=undoes)
        case NoChange():
            return Notice(level=levels.INFO, text=f"{name} {action.already}. Nothing was changed.")
        case AlreadySubmitted(entry=entry):
            return _submitted_before(entry, action)
        case Refused(reason=reason):
            return Notice(level=levels.ERROR, text=reason)
        case Conflict(error=error) | Failed(error=error) | Unknown(error=error):
            return Notice(level=levels.WARNING, text=in_words(error), kind=error.kind)


def problem_of(result: Result | None) -> str:
    """Return why one of several actions is not known to be done, "" if it is done. `result` None means not tried."""
    match result:
        case None:
            return _NOT_TRIED
        case Done() | NoChange():
            return ""
        case AlreadySubmitted(entry=entry):
            done = entry.outcome in {Outcome.SUCCEEDED, Outcome.NO_CHANGE}
            return "" if done else "This was sent before, and did not succeed."
        case Refused(reason=reason):
            return reason
        case Conflict(error=error) | Failed(error=error):
            return _sentences(f"{error.title}.", _said(error))
        case Unknown(error=error):
            return _sentences(f"{error.title}.", _MAY_HAVE_HAPPENED, _said(error))


def user_of(result: Result) -> User | None:
    """Return the user as read back, or None if the case has no user."""
    return getattr(result, "user", None)


def error_of(result: Result | None) -> PingOneError | None:
    """Return PingOne's error, or None if the case has no error."""
    return getattr(result, "error", None)


def _submitted_before(entry: AuditEntry, action: Action) -> Notice:
    outcome = Outcome(entry.outcome)
    is_done = outcome in {Outcome.SUCCEEDED, Outcome.NO_CHANGE}
    shown_once = outcome == Outcome.SUCCEEDED and bool(action.secret_result)
    text = _sentences(_SUBMITTED_BEFORE[outcome], NOT_KEPT if shown_once else "")
    return Notice(level=levels.INFO if is_done else levels.WARNING, text=text)


def _said(error: PingOneError) -> str:
    said = " ".join(detail.message for detail in error.details if detail.message)
    return f"PingOne says: {said}" if said else ""


def _sentences(*parts: str) -> str:
    return " ".join(part for part in parts if part)
