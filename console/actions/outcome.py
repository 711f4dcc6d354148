"""The outcome of an action: a sum type. Only this module maps its cases to the audit log, only notices.py to words.

`perform` returns an outcome for page, fragment, several actions, new user, Undo, Call API and command line alike.
"""

from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from console.actions.demands import Demand
from console.actions.step import Step
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
    then: "tuple[tuple[Step, Result | None], ...]" = ()  # further actions of an Undo; None: not tried


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
    demands: frozenset[Demand] = frozenset()  # with these met, this operator could do it
    asked: UUID | None = None  # the request for the approval of a second person that was made instead


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


def user_of(result: Result) -> User | None:
    """Return the user as read back, or None if the case has no user."""
    return getattr(result, "user", None)


def error_of(result: Result | None) -> PingOneError | None:
    """Return PingOne's error, or None if the case has no error."""
    return getattr(result, "error", None)
