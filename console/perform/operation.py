"""What `run` can run: one checked and recorded operation at PingOne, with its values before and after."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from console.access import Acting, Permission
from console.actions.action import Json
from console.actions.affected import Affected
from console.actions.outcome import Done, Failed, NoChange, Unknown
from console.audit.entries import Circumstances, Subject
from pingone_integration.calls.api import PingOneApi
from pingone_integration.errors import PingOneError, Trace
from pingone_integration.texts import Text
from pingone_integration.users import User


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
    is_first_recovery: bool = False  # of a new user whose address is as it was typed: it needs no cooling-off


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
    def gives_access(self) -> bool:
        """Return whether somebody can get access by it, or more of it: a lock down stops it."""

    @property
    def written_fields(self) -> Iterable[str]:
        """Return the profile fields that it writes, by our names. A role may be limited to some."""

    @property
    def subject(self) -> Subject:
        """Return the subject, as far as it is known before a call to PingOne."""

    @property
    def affected(self) -> Affected:
        """Return the users and groups that it acts on, as far as they are known before a call to PingOne."""

    def problem_with(self, access: Acting, circumstances: Circumstances) -> Text:
        """Return why this operator may not run it like this, or "" if they may."""

    def recorded_inputs(self) -> Json:
        """Return the inputs without secrets."""

    def whole_inputs(self) -> Json:
        """Return the inputs with secrets: an approval is bound to their keyed hash. They are stored nowhere."""

    def foreseen(self) -> Json | None:
        """Return the values after success as far as they are known before, for the preview; None: not known."""

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
