"""What an action is: everything that button, form, URL, command line, audit log and tests need to know about it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from console.access import Permission
from console.actions.forms import ActionForm, NoInput
from pingone_integration.calls.api import PingOneApi
from pingone_integration.users import User

Inputs = Mapping[str, Any]
Json = dict[str, Any]
Observe = Callable[[PingOneApi, User | None, Inputs], Json]
Options = Callable[[PingOneApi, User | None], list[tuple[str, str]]]


def _always(target: Any) -> bool:
    return True


def _nothing(*args: Any) -> Json:
    return {}


def _no_note(result: Any) -> str:
    return ""


class Place(StrEnum):
    """Where on the user's page an action stands, and what its `offered_to` is asked about."""

    ACCOUNT = "account"  # the User
    PROFILE = "profile"  # the User
    PASSWORD = "password"  # noqa: S105 - the PasswordState
    GROUPS = "groups"  # the GroupMemberships shown
    GROUP = "group"  # a GroupMembership
    DEVICE = "device"  # a Device
    SESSIONS = "sessions"  # the Sessions
    SESSION = "session"  # a Session
    ELSEWHERE = "elsewhere"  # a page of its own: there is no user yet, or none at all


@dataclass(frozen=True, kw_only=True)
class Undo:
    """The action that takes another one back."""

    action: str  # key
    inputs: Callable[[Json, Json], Json] = _nothing  # from the recorded values before, and the recorded inputs


@dataclass(frozen=True, kw_only=True)
class Action:
    """Something an operator can do to one PingOne user."""

    key: str  # in URLs, command line and audit log: never renamed, never reused
    label: str  # on its button: imperative
    title: str = ""  # where it stands alone, away from what the button is about; "": the label
    submit: str = ""  # on the button of its form; "": the title
    done: str  # in the notice and the audit log: past tense
    already: str = ""  # in the notice after the person's name, when it was so before: "was deactivated already"
    does: str  # what it will do, said beforehand
    leaves: str  # and what not
    permission: Permission
    call: Callable[..., Any]  # call(api, user_id, **inputs); call(api, **inputs) where there is no user yet
    form: type[ActionForm] = NoInput
    options: Mapping[str, Options] | None = None  # what PingOne offers to choose from, by form field
    secret_inputs: frozenset[str] = frozenset()  # inputs that no log may keep
    secret_result: str = ""  # what `call` returns is shown once under this name, and kept nowhere
    place: Place = Place.ACCOUNT
    offered_to: Callable[[Any], bool] = _always  # display only; PingOne decides
    question: str = ""  # risky: asked on a page of its own, with the person's `{name}`
    panels: tuple[str, ...] = ()  # of the user's page, that show something else afterwards
    bulk: bool = False
    is_remedy: bool = False  # takes away what keeps the user from signing on: the button that an agent looks for

    observe: Observe = _nothing  # the values it is about, read before and after for the record
    effect: Json | Callable[[Inputs], Json] | None = None  # see `expected`
    note_of: Callable[[Any], str] = _no_note  # what a person should know besides, from what `call` returned
    is_complete: Callable[[Any], bool] = _always  # whether what `call` returned shows all that was asked for
    subject_of: Callable[[Any], User] | None = None  # the user out of what `call` returned, where there was none before
    undo: Undo | None = None

    endpoint: str  # in PingOne's words, below the environment
    pingone_permission: str

    @property
    def name(self) -> str:
        return self.title or self.label

    @property
    def needs_user(self) -> bool:
        return self.place is not Place.ELSEWHERE

    @property
    def is_risky(self) -> bool:
        return bool(self.question)

    @property
    def is_immediate(self) -> bool:
        """Its button does it, without a page in between: nothing to ask for, nothing to think twice about."""
        return not self.is_risky and not self.form.visible_inputs()

    def expected(self, inputs: Inputs) -> Json | None:
        """What `observe` finds once the action has happened; None: it cannot be seen."""
        return self.effect(inputs) if callable(self.effect) else self.effect

    def inputs_on_record(self, recorded: Json) -> Json:
        """The inputs as `observe` and `expected` take them, from those that an entry keeps: ids are UUIDs again."""
        ids = self.form.id_fields()
        return {name: UUID(value) if name in ids and value else value for name, value in recorded.items()}

    def record_of(self, inputs: Inputs) -> Json:
        """The inputs as the log keeps them."""
        return {name: value for name, value in inputs.items() if name not in self.secret_inputs}
