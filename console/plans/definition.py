"""A plan as data: steps in a line, read from JSON and written to it. There are no expressions, only closed lists.

A step is an action of the catalogue, an email, or a wait. As JSON it is an object whose key says which:
`{"action": "group.remove", "inputs": {"group_id": "{all}"}, "if": "mfa-on"}`,
`{"mail": "manager", "subject": "…", "text": "…"}`, `{"wait": {"days": 30}}`, `{"wait": {"until": "18:00"}}`, or
`{"wait": {"date": "{asked}"}}` for a time that is asked at the start.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.actions.action import Action
from console.actions.catalogue import BY_KEY
from console.outbox.emails import is_address
from console.plans.strict_json import NotStrict, hidden_character, parsed
from pingone_integration.texts import Text

Json = dict[str, Any]

MOST_STEPS = 30
MOST_DAYS = 365  # of one wait
LONGEST_JSON = 100_000  # characters
LONGEST_NAME = 80
LONGEST_TEXT = 5_000
LONGEST_SUBJECT = 200
CREATES, DELETES = "user.create", "user.delete"
PERSON, MANAGER = "person", "manager"  # to whom an email goes, besides an address

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_HOUR = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_BRACES = re.compile(r"\{[^{}]*\}?|\}")


class Kind(StrEnum):
    """What a plan is for, which decides how it ends."""

    JOIN = "join"  # the person is created by it
    LEAVE = "leave"  # it takes access away: it is done only when a last read says so
    CHANGE = "change"
    RETURN = "return"  # it gives back what another run took away


class Condition(StrEnum):
    """When a step runs. The person is looked at just before the step."""

    ASKED = "asked"
    MFA_ON = "mfa-on"
    ACTIVE = "active"
    DEACTIVATED = "deactivated"
    HAS_EMAIL = "has-email"
    HAS_PHONE = "has-phone"
    HAS_MANAGER = "has-manager"
    NEVER_SIGNED_IN = "never-signed-in"
    OWN_PASSWORD = "own-password"  # noqa: S105 - a condition
    WAS_ACTIVE = "was-active"
    CHOOSES_PASSWORD = "chooses-password"  # noqa: S105 - a condition
    GIVEN_PASSWORD = "given-password"  # noqa: S105 - a condition


CONDITIONS: dict[Condition, Text] = {
    Condition.ASKED: _("if it is chosen at the start"),
    Condition.MFA_ON: _("if MFA is on"),
    Condition.ACTIVE: _("if they are active"),
    Condition.DEACTIVATED: _("if they are deactivated"),
    Condition.HAS_EMAIL: _("if they have an email address"),
    Condition.HAS_PHONE: _("if they have a phone number"),
    Condition.HAS_MANAGER: _("if they have a manager"),
    Condition.NEVER_SIGNED_IN: _("if they have never signed in"),
    Condition.OWN_PASSWORD: _("if PingOne, and no other identity provider, checks their password"),
    Condition.WAS_ACTIVE: _("if the plan that is brought back deactivated them"),
    Condition.CHOOSES_PASSWORD: _("if they can choose a password themselves by account recovery"),
    Condition.GIVEN_PASSWORD: _("if somebody has to give them a password"),
}

# In texts: of emails, and of inputs that are texts.
PLACEHOLDERS: dict[str, Text] = {
    "{given}": _("their first name"),
    "{family}": _("their last name"),
    "{name}": _("their full name"),
    "{username}": _("their username"),
    "{email}": _("their email address"),
    "{title}": _("their title"),
    "{manager}": _("their manager's name"),
    "{organization}": _("the name of the organization"),
    "{recover}": _("the address of the page on which they choose a password"),
}

# As a whole input.
ASKED = "{asked}"
SAME = "{same}"
ALL = "{all}"
RECENT = "{recent}"
TEMPLATE = "{template}"
GROUPS = "{groups}"
GAINED, LOST = "{gained}", "{lost}"
BEFORE, ADDED = "{before}", "{added}"
# What is known once a plan starts, and stays so: typed, of the templates, or of the run that is brought back.
SETTLED = frozenset({ASKED, SAME, GROUPS, TEMPLATE, GAINED, LOST, BEFORE, ADDED})
OF_TEMPLATES = frozenset({TEMPLATE, GAINED, LOST})
OF_A_RUN = frozenset({BEFORE, ADDED})
OF_GROUPS = frozenset({GROUPS, GAINED, LOST, BEFORE, ADDED})  # as a group: each of them
FIELDS = "fields"  # as an input: every field of the template
CHOICES: dict[str, Text] = {
    ASKED: _("asked at the start; left empty, the step is left out"),
    SAME: _("the same as is asked for an earlier step"),
    ALL: _("each one that they have when the step runs: groups or devices"),
    RECENT: _("each device that was added in the last 30 days when the step runs"),
    TEMPLATE: _("as the new template has it: the population, or all fields"),
    GROUPS: _("each group that is chosen at the start"),
    GAINED: _("each group that the new template adds"),
    LOST: _("each group of the old template that the new one does not have"),
    BEFORE: _("as it was before the plan that is brought back"),
    ADDED: _("each group that the plan that is brought back has added"),
}
# The inputs that a choice can stand for.
FITS = {
    ALL: {"group_id", "device_id"},
    RECENT: {"device_id"},
    TEMPLATE: {"population_id", FIELDS},
    GROUPS: {"group_id"},
    GAINED: {"group_id"},
    LOST: {"group_id"},
    BEFORE: {"group_id", "population_id"},
    ADDED: {"group_id"},
}

_NO_WAIT = _("A wait is 1 to {most} days, or until an hour such as 18:00, or until a date that is asked.")


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What is wrong with a plan; `step`: the number of the step, from 1; None: the plan as a whole."""

    step: int | None
    reason: Text

    @property
    def told(self) -> Text:
        return (
            format_lazy(_("Step {number}: {reason}"), number=self.step, reason=self.reason)
            if self.step
            else self.reason
        )


class InvalidPlan(ValueError):
    """The JSON is no plan."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(" ".join(str(one.told) for one in self.problems))


@dataclass(frozen=True, kw_only=True)
class ActionStep:
    """An action of the catalogue. Its inputs are as typed into the action's form, or one of CHOICES."""

    action: str
    inputs: Mapping[str, str] = field(default_factory=dict)
    condition: Condition | None = None

    @property
    def of_catalogue(self) -> Action:
        return BY_KEY[self.action]

    @property
    def is_by_hand(self) -> bool:
        """Return whether a person has to do it, because it shows them a secret once."""
        return bool(self.of_catalogue.secret_result)

    @property
    def asked(self) -> frozenset[str]:
        """Return the inputs that are asked at the start, for this step or an earlier one."""
        return frozenset(name for name, value in self.inputs.items() if value in {ASKED, SAME})

    @property
    def settled(self) -> frozenset[str]:
        """Return the inputs that are known once the plan starts. Without a value for each, the step is left out."""
        return frozenset(name for name, value in self.inputs.items() if value in SETTLED)


@dataclass(frozen=True, kw_only=True)
class MailStep:
    """An email. `to`: PERSON, MANAGER, or an address."""

    to: str
    subject: str
    text: str
    condition: Condition | None = None


@dataclass(frozen=True, kw_only=True)
class WaitStep:
    """A pause: so many days, until the next time that it is so late at the person's place, or until a time asked."""

    days: int = 0
    until: str = ""  # HH:MM
    asks_date: bool = False

    condition: None = None


Step = ActionStep | MailStep | WaitStep


@dataclass(frozen=True, kw_only=True)
class Definition:
    """A plan: the whole of what its JSON says."""

    id: str  # a slug
    name: str
    kind: Kind
    steps: tuple[Step, ...]

    def as_json(self) -> Json:
        return {
            "id": self.id,
            "name": self.name,
            "kind": str(self.kind),
            "steps": [json_of(step) for step in self.steps],
        }

    def numbered(self) -> list[tuple[int, Step]]:
        return list(enumerate(self.steps, start=1))


def json_of(step: Step) -> Json:
    """Return a step as JSON; what is empty is left out."""
    if isinstance(step, WaitStep):
        if step.asks_date:
            return {"wait": {"date": ASKED}}
        return {"wait": {"days": step.days} if step.days else {"until": step.until}}
    condition = {"if": str(step.condition)} if step.condition else {}
    if isinstance(step, MailStep):
        return {"mail": step.to, "subject": step.subject, "text": step.text} | condition
    return {"action": step.action} | ({"inputs": dict(step.inputs)} if step.inputs else {}) | condition


def read_text(text: str) -> Definition:
    """Read a plan from JSON as a text. Raises InvalidPlan."""
    try:
        return read(parsed(text))
    except NotStrict as refusal:
        raise _invalid(refusal.reason) from None


def read(said: Any) -> Definition:
    """Read a plan from JSON. Raises InvalidPlan, with everything that is wrong."""
    if not isinstance(said, dict):
        raise InvalidPlan([Problem(step=None, reason=_("A plan is a JSON object."))])
    hidden = hidden_character({key: value for key, value in said.items() if key != "steps"})
    problems: list[Problem] = [Problem(step=None, reason=hidden)] if hidden else []

    def wrong(reason: Text, step: int | None = None) -> None:
        problems.append(Problem(step=step, reason=reason))

    if unknown := sorted(set(map(str, said)) - {"id", "name", "kind", "steps"}):
        wrong(format_lazy(_("A plan has no {fields}."), fields=", ".join(unknown)[:200]))
    plan_id, name = said.get("id"), said.get("name")
    if not (isinstance(plan_id, str) and len(plan_id) <= 50 and _SLUG.fullmatch(plan_id)):
        wrong(_("The ID of a plan has small letters, digits and hyphens, at most 50."))
    if not (isinstance(name, str) and name.strip() and len(name) <= LONGEST_NAME and name.isprintable()):
        wrong(format_lazy(_("The name of a plan is one line of at most {most} characters."), most=LONGEST_NAME))
    kind = said.get("kind")
    if not (isinstance(kind, str) and kind in set(Kind)):
        wrong(format_lazy(_("The kind of a plan is one of: {kinds}."), kinds=", ".join(Kind)))
    listed = said.get("steps")
    if not isinstance(listed, list) or not listed:
        wrong(_("A plan has steps."))
        listed = []
    if len(listed) > MOST_STEPS:
        wrong(format_lazy(_("A plan has at most {most} steps."), most=MOST_STEPS))
        listed = []
    steps = []
    for number, one in enumerate(listed, start=1):
        try:
            steps.append(read_step(one))
        except InvalidPlan as invalid:
            problems += [Problem(step=number, reason=problem.reason) for problem in invalid.problems]
    if problems:
        raise InvalidPlan(problems)
    found = Definition(id=str(plan_id), name=str(name).strip(), kind=Kind(str(kind)), steps=tuple(steps))
    if len(json.dumps(found.as_json(), ensure_ascii=False)) > LONGEST_JSON:
        raise _invalid(_("This is too long for a plan."))
    if problems := list(_of_the_whole(found.kind, steps)):
        raise InvalidPlan(problems)
    return found


def read_step(said: Any) -> Step:
    """Read one step. Raises InvalidPlan, without the number."""
    if hidden := hidden_character(said):
        raise _invalid(hidden)
    if isinstance(said, dict):
        for key, parse in (("action", _action), ("mail", _mail), ("wait", _wait)):
            if key in said:
                return parse(said)
    raise _invalid(_("A step is an action, an email or a wait."))


def _action(said: Json) -> ActionStep:
    _only(said, {"action", "inputs", "if"})
    key = said["action"]
    action = BY_KEY.get(key) if isinstance(key, str) else None
    if action is None:
        raise _invalid(format_lazy(_("There is no action “{key}”."), key=str(key)[:60]))
    inputs = said.get("inputs", {})
    if not (isinstance(inputs, dict) and all(isinstance(one, str) for pair in inputs.items() for one in pair)):
        raise _invalid(_("The inputs of an action are texts by the names of its fields."))
    for name, value in inputs.items():
        _check_input(action, name, value)
    return ActionStep(action=action.key, inputs=inputs, condition=_condition(said))


def _check_input(action: Action, name: str, value: str) -> None:
    fields = action.form.base_fields
    if (
        name in action.form.COMMON
        or (name not in fields and not action.form.looks_at_schema)
        or action.key == "user.delete"
    ):
        raise _invalid(format_lazy(_("“{action}” has no field {name}."), action=action.name, name=name[:60]))
    if len(value) > LONGEST_TEXT:
        raise _invalid(format_lazy(_("{name} is too long."), name=name))
    if name == FIELDS and value != TEMPLATE:
        raise _invalid(format_lazy(_("{name} can only be {choice}."), name=name, choice=TEMPLATE))
    if value in CHOICES:
        if value in FITS and name not in FITS[value]:
            raise _invalid(format_lazy(_("{name} cannot be {choice}."), name=name, choice=value))
        return
    _check_placeholders(value)


def _mail(said: Json) -> MailStep:
    _only(said, {"mail", "subject", "text", "if"})
    to, subject, text = (said.get(name) for name in ("mail", "subject", "text"))
    if not (isinstance(to, str) and (to in {PERSON, MANAGER} or is_address(to))):
        raise _invalid(_("An email goes to “person”, to “manager” or to an address."))
    if not (isinstance(subject, str) and 0 < len(subject.strip()) <= LONGEST_SUBJECT and subject.isprintable()):
        raise _invalid(format_lazy(_("The subject is one line of at most {most} characters."), most=LONGEST_SUBJECT))
    if not (isinstance(text, str) and 0 < len(text.strip()) <= LONGEST_TEXT):
        raise _invalid(format_lazy(_("The text of an email has at most {most} characters."), most=LONGEST_TEXT))
    _check_placeholders(subject)
    _check_placeholders(text)
    return MailStep(to=to, subject=subject, text=text, condition=_condition(said))


def _wait(said: Json) -> WaitStep:
    _only(said, {"wait"})
    length = said["wait"]
    if isinstance(length, dict) and set(length) == {"days"}:
        days = length["days"]
        if isinstance(days, int) and not isinstance(days, bool) and 1 <= days <= MOST_DAYS:
            return WaitStep(days=days)
    elif isinstance(length, dict) and set(length) == {"until"}:
        until = length["until"]
        if isinstance(until, str) and _HOUR.fullmatch(until):
            return WaitStep(until=until)
    elif length == {"date": ASKED}:
        return WaitStep(asks_date=True)
    raise _invalid(
        format_lazy(
            _NO_WAIT,
            most=MOST_DAYS,
        )
    )


def _condition(said: Json) -> Condition | None:
    said_if = said.get("if")
    if said_if in (None, ""):
        return None
    if not isinstance(said_if, str) or said_if not in set(Condition):
        raise _invalid(format_lazy(_("There is no condition “{name}”."), name=str(said_if)[:60]))
    return Condition(said_if)


def _check_placeholders(value: str) -> None:
    if unknown := [one for one in _BRACES.findall(value) if one not in PLACEHOLDERS]:
        raise _invalid(format_lazy(_("There is no placeholder {name}."), name=unknown[0][:60]))


def _only(said: Json, allowed: set[str]) -> None:
    if unknown := sorted(set(map(str, said)) - allowed):
        raise _invalid(format_lazy(_("A step has no {fields} here."), fields=", ".join(unknown)[:200]))


def _invalid(reason: Text) -> InvalidPlan:
    return InvalidPlan([Problem(step=None, reason=reason)])


def _of_the_whole(kind: Kind, steps: list[Step]) -> Iterable[Problem]:
    """Yield what is wrong with the steps together."""
    for number, step in enumerate(steps, start=1):
        key = step.action if isinstance(step, ActionStep) else ""
        if (key == CREATES) != (number == 1 and kind is Kind.JOIN):
            yield Problem(
                step=number, reason=_("A plan of the kind “join”, and no other, begins by creating the user.")
            )
        of_a_run = step.condition is Condition.WAS_ACTIVE or (
            isinstance(step, ActionStep) and not OF_A_RUN.isdisjoint(step.inputs.values())
        )
        if of_a_run and kind is not Kind.RETURN:
            yield Problem(step=number, reason=_("Only a plan of the kind “return” brings something back."))
        if isinstance(step, ActionStep) and not _same_of(step) <= _asked_before(steps, number):
            yield Problem(step=number, reason=format_lazy(_("No earlier step asks for what is {choice}."), choice=SAME))
        if key == DELETES and number != len(steps):
            yield Problem(step=number, reason=_("Nothing can follow after the user is deleted."))
    if isinstance(steps[-1], WaitStep):
        yield Problem(step=len(steps), reason=_("A plan does not end with a wait."))


def _same_of(step: ActionStep) -> set[str]:
    return {name for name, value in step.inputs.items() if value == SAME}


def _asked_before(steps: list[Step], number: int) -> set[str]:
    """Return the inputs that steps before this one ask for."""
    earlier = (step for step in steps[: number - 1] if isinstance(step, ActionStep))
    return {name for step in earlier for name, value in step.inputs.items() if value == ASKED}
