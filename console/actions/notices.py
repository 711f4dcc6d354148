"""The outcome of an action in words: the same for page, fragment, several actions, new user, Undo and command line.

A failure, a lost answer and an effect that PingOne does not show have their own words everywhere. The note of an entry
is part of its notice.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.messages import constants as levels
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.actions.action import Action
from console.actions.names import Recorded
from console.actions.outcome import (
    AlreadySubmitted,
    Conflict,
    Done,
    Failed,
    NoChange,
    Outcome,
    Refused,
    Result,
    Unknown,
)
from console.actions.step import Step
from console.models import AuditEntry
from pingone_integration.errors import PingOneError
from pingone_integration.texts import Text

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
_DONE = {Outcome.SUCCEEDED, Outcome.NO_CHANGE}
_NOT_TRIED = _("Skipped: PingOne stopped responding.")
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


def notice_of_step(step: Step, result: Result | None, *, name: Text) -> Notice:
    """Return the notice of one of several actions. `result` None: not tried, because PingOne stopped responding."""
    match result:
        case None:
            return _warning(step.failed(name), _NOT_TRIED)
        case Done(note=note):
            level = levels.SUCCESS if result.is_seen and not note else levels.WARNING
            return Notice(level=level, text=_sentences(step.told(name), note))
        case NoChange(note=note):
            return Notice(level=levels.INFO, text=_sentences(step.already(name), note))
        case AlreadySubmitted(entry=entry):
            return _step_submitted_before(step, entry, name)
        case Refused(reason=reason):
            return _warning(step.failed(name), reason)
        case Conflict(error=error) | Failed(error=error):
            return _warning(step.failed(name), format_lazy("{}.", error.title), _said(error), kind=error.kind)
        case Unknown(error=error):
            return _warning(step.unsure(name), format_lazy("{}.", error.title), _said(error), kind=error.kind)


def submitted_before(entry: AuditEntry) -> Text:
    """Return what became of a form that was sent twice. `entry` is its latest row."""
    outcome = Outcome.UNKNOWN if entry.is_open else Outcome(entry.outcome)
    return _sentences(_SUBMITTED_BEFORE[outcome], entry.note)


def _submitted_before(entry: AuditEntry, action: Action) -> Notice:
    is_done = entry.outcome in _DONE
    shown_once = entry.outcome == Outcome.SUCCEEDED and bool(action.secret_result)
    not_kept = format_lazy(_NOT_KEPT, secret=action.secret_result) if shown_once else ""
    level = levels.INFO if is_done else levels.WARNING
    return Notice(level=level, text=_sentences(submitted_before(entry), not_kept))


def _step_submitted_before(step: Step, entry: AuditEntry, name: Text) -> Notice:
    if entry.outcome == Outcome.SUCCEEDED:
        return Notice(level=levels.SUCCESS, text=_sentences(step.told(name), entry.note))
    if entry.outcome == Outcome.NO_CHANGE:
        return Notice(level=levels.INFO, text=_sentences(step.already(name), entry.note))
    is_open = entry.is_open or entry.outcome == Outcome.STARTED
    return _warning(step.unsure(name) if is_open else step.failed(name), submitted_before(entry))


def _warning(*parts: Text, kind: str = "") -> Notice:
    return Notice(level=levels.WARNING, text=_sentences(*parts), kind=kind)


def _recorded(entry: AuditEntry, result: Any = None) -> Recorded:
    return Recorded(inputs=entry.inputs, before=entry.before or {}, after=entry.after or {}, result=result)


def _said(error: PingOneError) -> Text:
    said = " ".join(detail.message for detail in error.details if detail.message)
    return format_lazy(_("PingOne says: {message}"), message=said) if said else ""


def _sentences(*parts: Text) -> Text:
    said = [part for part in parts if part]
    return format_lazy(" ".join(["{}"] * len(said)), *said)
