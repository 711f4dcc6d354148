"""An action of the catalogue on one user: read before, run, and read again."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.access import Acting, Permission
from console.actions.action import Action, Json
from console.actions.affected import Affected
from console.actions.effect import Seen, shows
from console.actions.outcome import Result, Unknown
from console.actions.shown import shown_of
from console.audit.entries import Circumstances, Subject, storable
from console.models import AuditEntry
from console.perform.operation import After, Before, NotPossible
from console.perform.run import run
from pingone_integration import users
from pingone_integration.calls import deadline
from pingone_integration.calls.api import PingOneApi
from pingone_integration.errors import (
    ChangedMeanwhile,
    Duplicate,
    MissingPermission,
    NotFound,
    PingOneError,
    Trace,
    Unavailable,
    UnlockFailure,
)
from pingone_integration.texts import Text
from pingone_integration.users import User

UNREAD = _("The result could not be verified.")
_LOCKS = frozenset({"seen", "seen_at"})  # of optimistic locking: what was seen, not what is done
LOOK_AGAIN_S = 2.0  # even if the page's deadline is over


def perform(
    access: Acting,
    action: Action,
    user_id: UUID | None,
    inputs: Mapping[str, Any],
    circumstances: Circumstances,
    *,
    shown: Json | None = None,
    restores: "Restored | None" = None,
) -> Result:
    """Run one action of the catalogue on one user. Raises as `run`."""
    operation = UserOperation(action=action, user_id=user_id, inputs=inputs, shown=shown, restores=restores)
    return run(access, operation, circumstances)


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
    shown: Json | None = None  # of the user, in a preview: it stops if they have changed. See actions/shown.py

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
    def gives_access(self) -> bool:
        return self.action.gives_access(self.inputs)

    @property
    def written_fields(self) -> Iterable[str]:
        return self.action.written_fields(self.inputs)

    @property
    def subject(self) -> Subject:
        name = self.restores.entry.subject_name if self.restores else ""
        return Subject(kind=AuditEntry.Subject.USER, id=self.user_id or "", name=name)

    @property
    def affected(self) -> Affected:
        return self.action.affected(self.user_id, self.inputs)

    def problem_with(self, access: Acting, circumstances: Circumstances) -> Text:
        return self.action.limits(access).problem_with(self.inputs, circumstances.reason)

    def recorded_inputs(self) -> Json:
        return self.action.record_of(self.inputs)

    def whole_inputs(self) -> Json:
        return {name: value for name, value in self.inputs.items() if name not in _LOCKS}

    def foreseen(self) -> Json | None:
        return self.action.expected(self.inputs)

    def look(self, api: PingOneApi) -> Before:
        user = users.get(api, self.user_id) if self.user_id else None
        if user and self.restores:
            _raise_if_changed(api, user, self.restores)
        if user and self.shown is not None:
            _raise_unless_as_shown(user, self.shown, storable(self.action.expected(self.inputs)) or {})
        if user and (obstacle := self.action.obstacle(user, self.inputs)):
            raise NotPossible(obstacle)
        try:
            values = self.action.observe(api, user, self.inputs) if user else None
        except (MissingPermission, NotFound):  # unreadable values do not prevent the action
            values = None
        return Before(subject=_subject(self.user_id, user), values=values, user=user)

    def run(self, api: PingOneApi) -> Any:
        return self.action.call(api, *([self.user_id] if self.action.needs_user else []), **self.inputs)

    def was_so(self, before: Before, refusal: PingOneError) -> bool:
        if isinstance(refusal, UnlockFailure) and refusal.reason is UnlockFailure.Reason.REFUSED:
            return False  # a lock since then
        expected = storable(self.action.expected(self.inputs)) or {}
        says_so = isinstance(refusal, Duplicate | NotFound | UnlockFailure)
        return says_so and bool(expected) and shows(expected, storable(before.values))

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


def _raise_if_changed(api: PingOneApi, user: User, restores: Restored) -> None:
    """Raise NotPossible if the user has changed since the entry."""
    entry = restores.entry
    now = storable(restores.action.observe(api, user, restores.action.inputs_on_record(entry.inputs)))
    if not shows(entry.after or {}, now):  # an older entry may hold fewer values
        reason = _("{user} has changed since then. Undo is not available, because it could revert those changes too.")
        raise NotPossible(format_lazy(reason, user=entry.subject_name))


def _raise_unless_as_shown(user: User, shown: Json, expected: Json) -> None:
    """Raise ChangedMeanwhile if a value is neither as the preview showed it, nor as the action would leave it."""
    now = storable(shown_of(user, shown))
    if any(value != now[name] and expected.get(name, value) != now[name] for name, value in shown.items()):
        raise ChangedMeanwhile


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
    if user is None:
        return about
    return replace(
        about, name=user.username, full_name=user.name.whole, email=user.email, population_id=user.population_id
    )
