"""The Action class: everything that button, form, URL, command line, audit log and tests need to know of an action."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, cast
from uuid import UUID

from django.utils.text import format_lazy

from console.access import Acting, OrgAccess, Permission
from console.actions import limits
from console.actions.affected import CONTACTS, Affected
from console.actions.forms import ActionForm, NoInput
from console.actions.limits import Limits
from console.actions.names import Recorded
from console.rights.roles import REASON
from console.user_mails.events import CONTACT_CHANGED, Event
from pingone_integration.calls.api import PingOneApi
from pingone_integration.texts import Text
from pingone_integration.users import User

Inputs = Mapping[str, Any]
Json = dict[str, Any]
Observe = Callable[[PingOneApi, User | None, Inputs], Json]
Options = Callable[[OrgAccess, User | None], list[tuple[str, str]]]


def always(target: Any) -> bool:
    return True


def _never(inputs: Inputs) -> bool:
    return False


def _no_fields(inputs: Inputs) -> tuple[str, ...]:
    return ()


def _nothing(*args: Any) -> Json:
    return {}


def _no_losses(api: PingOneApi, user: User) -> "list[Loss]":
    return []


def _no_obstacle(user: User, inputs: Inputs) -> Text:
    return ""


def _no_note(result: Any) -> Text:
    return ""


class Place(StrEnum):
    """The place of an action on the user's page. A comment names the object that its `offered_to` receives."""

    SIGN_IN = "sign-in"  # the facts for the verdict: users.standing.Known
    ACCOUNT = "account"  # the User
    PROFILE = "profile"  # the User
    PASSWORD = "password"  # noqa: S105 - the PasswordState
    GROUPS = "groups"  # the GroupMemberships shown
    GROUP = "group"  # a GroupMembership
    MFA = "mfa"  # the MfaState
    DEVICE = "device"  # a Device
    SESSIONS = "sessions"  # the Sessions
    SESSION = "session"  # a Session
    ELSEWHERE = "elsewhere"  # a separate page: there is no user yet, or none at all

    @property
    def part(self) -> str:
        """Return the id of the part of the user's page that holds this place."""
        return _PARTS.get(self, self.value)


_PARTS = {
    Place.SIGN_IN: "verdict",
    Place.MFA: "devices",
    Place.GROUP: "groups",  # a place for each of its lines, and so below
    Place.DEVICE: "devices",
    Place.SESSION: "sessions",
}


@dataclass(frozen=True, kw_only=True)
class Then:
    """A further action of an Undo, with an entry of its own."""

    action: str  # key
    inputs: Json
    names: Mapping[str, str]  # of the objects in its sentences


def _nothing_else(before: Json, after: Json) -> list[Then]:
    return []


@dataclass(frozen=True, kw_only=True)
class Undo:
    """The action that reverses another action."""

    action: str  # key
    inputs: Callable[[Json, Json], Json] = _nothing  # from the recorded values before and the recorded inputs
    then: Callable[[Json, Json], list[Then]] = _nothing_else  # from the recorded values before and after


@dataclass(frozen=True, kw_only=True)
class Loss:
    """Something that an action ends besides its effect, shown before it runs."""

    text: Text
    names: tuple[str, ...] = ()  # of the objects that are lost


@dataclass(frozen=True, kw_only=True)
class Action:
    """Something an operator can do to one PingOne user.

    `told`, `already`, `failed`, `unsure` and `question` are sentences with names in braces: the `{user}`, and the
    objects of `names`.
    """

    key: str  # in URLs, command line and audit log: never renamed, never reused
    label: Text  # on its button, as an imperative
    title: Text = ""  # the name outside its context on the page; "" means the label
    submit: Text = ""  # on the button of its form; "" means the title
    done: Text  # in the audit log, in the past tense
    told: Text  # the notice after it is done: "Removed {user} from {group}."
    already: Text = ""  # the notice if nothing changed: "{user} was already deactivated."
    failed: Text = ""  # beside other actions: "Could not add {user} to {group}."; "" is a general sentence
    unsure: Text = ""  # the same, if the outcome is unknown
    does: Text  # its effect, shown beforehand
    leaves: Text  # its limits, shown beforehand
    permission: Permission
    call: Callable[..., Any]  # call(api, user_id, **inputs); call(api, **inputs) if there is no user yet
    form: type[ActionForm] = NoInput
    options: Mapping[str, Options] | None = None  # choices that PingOne offers, by form field
    secret_inputs: frozenset[str] = frozenset()  # inputs that must not be logged
    secret_result: Text = ""  # label to show the result of `call` once; the result is never stored
    place: Place = Place.ACCOUNT
    offered_to: Callable[[Any], bool] = always  # display only; PingOne decides
    obstacle: Callable[[User, Inputs], Text] = _no_obstacle  # why it must not run on the user as just read
    limits: Callable[[Acting], Limits] = limits.none  # of this operator; `perform` enforces them
    question: Text = ""  # for a risky action: asked on a separate page
    losses: Callable[[PingOneApi, User], list[Loss]] = _no_losses  # read for its form
    names: Callable[[Recorded], Json] = _nothing  # of the objects in its sentences, see names.py
    panels: tuple[str, ...] = ()  # panels of the user's page that change afterwards
    bulk: bool = False
    is_remedy: bool = False  # removes an obstacle to sign-in: its button comes first

    # For the protection of administrators, see console/protection. A new action is closed until it says otherwise.
    attributes: frozenset[str] | Callable[[Inputs], frozenset[str]] = frozenset()  # of users, that it changes: paths
    needs_roles: bool = True  # False: harmless, even if PingOne does not show whether the user is an administrator
    recovers_by_email: bool = False  # whoever reads the user's email can take over the account

    tells: Event | None = None  # what the user is told afterwards, by email

    observe: Observe = _nothing  # reads the affected values, before and after, for the record
    effect: Json | Callable[[Inputs], Json] | None = None  # see `expected`
    stamped: str = ""  # a time that `observe` reads, which moves each time it happens: later reads tell by it
    note_of: Callable[[Any], Text] = _no_note  # a further note for the operator, from the result of `call`
    is_complete: Callable[[Any], bool] = always  # whether the result of `call` shows everything requested
    goes_by_answer: bool = False  # PingOne's answer alone proves the action, because no state shows it
    subject_of: Callable[[Any], User] | None = None  # the user in the result of `call`, if there was none before
    undo: Undo | None = None
    gives_access: Callable[[Inputs], bool] = _never  # a lock down stops it
    written_fields: Callable[[Inputs], Iterable[str]] = _no_fields  # of the profile, by our names

    endpoint: str  # PingOne's method and path, below the environment
    pingone_permission: str

    @property
    def name(self) -> Text:
        return self.title or self.label

    @property
    def needs_user(self) -> bool:
        return self.place is not Place.ELSEWHERE

    @property
    def may_give_access(self) -> bool:
        """Return whether it gives access, at least with some inputs."""
        return self.gives_access is not _never

    @property
    def is_risky(self) -> bool:
        return bool(self.question)

    @property
    def is_immediate(self) -> bool:
        """Return whether the button acts without a page in between: the action has no visible inputs and no risk."""
        return not self.is_risky and not self.form.visible_inputs()

    def affected(self, user_id: UUID | None, inputs: Inputs) -> Affected:
        """Return what the action changes, for the guards."""
        attributes = self.attributes(inputs) if callable(self.attributes) else self.attributes
        group_id = inputs.get("group_id")
        contacts = bool(attributes & CONTACTS)
        return Affected(
            user=user_id,
            groups=frozenset({group_id}) if group_id else frozenset(),
            attributes=attributes,
            contacts=contacts,
            needs_roles=self.needs_roles,
            is_remedy=self.is_remedy,
            recovers_by_email=self.recovers_by_email,
            tells=CONTACT_CHANGED if contacts else self.tells,
        )

    def limits_for(self, access: Acting) -> Limits:
        """Return this operator's limits, with the reason that their role may demand."""
        own = self.limits(access)
        return replace(own, needs_reason=own.needs_reason or REASON in access.rights.demands(self.key))

    def sentence(self, text: Text, *, user: Text, recorded: Recorded) -> Text:
        """Return `told`, `already` or `question` with the names filled in."""
        return format_lazy(cast("str", text), user=user, **self.names(recorded))

    def expected(self, inputs: Inputs) -> Json | None:
        """Return the values that `observe` finds after success, or None if the effect cannot be observed."""
        return self.effect(inputs) if callable(self.effect) else self.effect

    def inputs_on_record(self, recorded: Json) -> Json:
        """Return an entry's recorded inputs as `observe` and `expected` take them: IDs are UUIDs again."""
        ids = self.form.id_fields()
        return {name: UUID(value) if name in ids and value else value for name, value in recorded.items()}

    def record_of(self, inputs: Inputs) -> Json:
        """Return the inputs for the audit log, without secrets."""
        return {name: value for name, value in inputs.items() if name not in self.secret_inputs}
