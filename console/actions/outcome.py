"""The outcome of an action: a sum type. Only this module maps each case to the audit log and to words.

`perform` returns an outcome for page, fragment, several actions, new user, Undo, Call API and command line alike.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from django.contrib.messages import constants as levels
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.actions.action import Action
from console.actions.names import Recorded
from console.models import AuditEntry
from pingone_integration.errors import ChangedMeanwhile, PingOneError
from pingone_integration.texts import Text
from pingone_integration.users import User

Outcome = AuditEntry.Outcome


@dataclass(frozen=True, kw_only=True)
class Done:
    """The action happened."""

    recorded_as: ClassVar[Outcome] = Outcome.SUCCEEDED

    entry: AuditEntry  # its closing row
    result: Any = None  # of the call: a secret of `action.secret_result`, a user, a count, PingOne's answer
    note: Text = ""  # as in the entry, where it is in English
    user: User | None = None  # read back afterwards; None if gone or not readable
    is_gone: bool = False  # PingOne no longer has this user
    is_seen: bool = True  # the user was read back, with the full effect


@dataclass(frozen=True, kw_only=True)
class NoChange:
    """Nothing had to change: PingOne was asked, and the user is as before."""

    recorded_as: ClassVar[Outcome] = Outcome.NO_CHANGE

    entry: AuditEntry
    note: Text = ""  # as in the entry, where it is in English
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

    reason: Text
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


_SUBMITTED_BEFORE = {
    Outcome.STARTED: _("This was already submitted and is still running."),
    Outcome.SUCCEEDED: _("This was already done."),
    Outcome.NO_CHANGE: _("This was already submitted. There was nothing to change."),
    Outcome.CONFLICT: _(
        "This was already submitted, but the user was changed in the meantime. Press the button again to retry."
    ),
    Outcome.REFUSED: _("This was already submitted and was refused. Press the button again to retry."),
    Outcome.FAILED: _("This was already submitted and failed. Press the button again to retry."),
    Outcome.UNKNOWN: _("This was already submitted, and its outcome is unknown."),
}
_NOT_TRIED = _("Skipped: PingOne stopped responding.")
_MAY_HAVE_HAPPENED = _("The change may or may not have been made.")
_NOT_SUCCEEDED = _("This was already submitted and did not succeed.")
_NOTHING_CHANGED = _("Nothing was changed.")
_NOT_KEPT = _("{secret}: shown only once. Press the button again if you need another one.")


@dataclass(frozen=True, kw_only=True)
class Notice:
    """A sentence for the operator, its severity, and the entry that its Undo reverses."""

    level: int  # one of django.contrib.messages.constants
    text: Text
    undoes: UUID | None = None
    kind: str = ""  # of PingOne's error, if the text describes an error


def notice_of(
    result: Result, action: Action, *, name: Text, in_words: Callable[[PingOneError], Text], may_undo: bool = False
) -> Notice:
    """Return the notice for the operator. `name` is the user's; `in_words` turns an error into sentences."""
    match result:
        case Done(entry=entry):
            text = action.sentence(action.told, user=name, recorded=_recorded(entry, result.result))
            undoes = entry.entry if may_undo else None
            level = levels.SUCCESS if result.is_seen else levels.WARNING
            return Notice(level=level, text=_sentences(text, result.note), undoes=undoes)
        case NoChange(entry=entry, note=note):
            text = action.sentence(action.already, user=name, recorded=_recorded(entry))
            return Notice(level=levels.INFO, text=_sentences(text, _NOTHING_CHANGED, note))
        case AlreadySubmitted(entry=entry):
            return _submitted_before(entry, action)
        case Refused(reason=reason):
            return Notice(level=levels.ERROR, text=reason)
        case Conflict(error=error) | Failed(error=error) | Unknown(error=error):
            return Notice(level=levels.WARNING, text=in_words(error), kind=error.kind)


def problem_of(result: Result | None) -> Text:
    """Return why one of several actions is not known to be done, "" if it is done. `result` None means not tried."""
    match result:
        case None:
            return _NOT_TRIED
        case Done() | NoChange():
            return ""
        case AlreadySubmitted(entry=entry):
            done = entry.outcome in {Outcome.SUCCEEDED, Outcome.NO_CHANGE}
            return "" if done else _NOT_SUCCEEDED
        case Refused(reason=reason):
            return reason
        case Conflict(error=error) | Failed(error=error):
            return _sentences(format_lazy("{}.", error.title), _said(error))
        case Unknown(error=error):
            return _sentences(format_lazy("{}.", error.title), _MAY_HAVE_HAPPENED, _said(error))


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
    not_kept = format_lazy(_NOT_KEPT, secret=action.secret_result) if shown_once else ""
    text = _sentences(_SUBMITTED_BEFORE[outcome], not_kept)
    return Notice(level=levels.INFO if is_done else levels.WARNING, text=text)


def _recorded(entry: AuditEntry, result: Any = None) -> Recorded:
    return Recorded(inputs=entry.inputs, before=entry.before or {}, after=entry.after or {}, result=result)


def _said(error: PingOneError) -> Text:
    said = " ".join(detail.message for detail in error.details if detail.message)
    return format_lazy(_("PingOne says: {message}"), message=said) if said else ""


def _sentences(*parts: Text) -> Text:
    said = [part for part in parts if part]
    return format_lazy(" ".join(["{}"] * len(said)), *said)
