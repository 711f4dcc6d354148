"""A plan in words, step by step: what it does, with what, and when. Nothing is about one person yet."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from console.access import OrgAccess
from console.plans.definition import CHOICES, CONDITIONS, ActionStep, Definition, Kind, MailStep, Step
from console.plans.editing.references import looked_up
from console.plans.editing.step_forms import as_sent
from console.plans.fields import fields_of, label_of
from console.plans.preview import title_of
from console.users.remembered import known_attributes
from pingone_integration.texts import Text
from pingone_integration.values import identifier

KINDS: dict[Kind, Text] = {
    Kind.JOIN: _("Joins: the user is created by it"),
    Kind.LEAVE: _("Leaves: done only when a last read says that all access is gone"),
    Kind.CHANGE: _("Changes something"),
    Kind.RETURN: _("Returns: gives back what another plan took away"),
}
_EMPTY = _("empty")


@dataclass(frozen=True, kw_only=True)
class StepInWords:
    """One step."""

    number: int
    title: Text
    condition: Text
    inputs: tuple[tuple[Text, Text], ...]  # label and value
    email: tuple[str, str] | None  # subject and text, as a user who does not exist would get it
    is_by_hand: bool


def in_words(access: OrgAccess, definition: Definition) -> list[StepInWords]:
    """Return the steps in words. PingOne is asked for the names of what they are about."""
    names = looked_up(access, definition).names
    return [_step(access, number, step, names) for number, step in definition.numbered()]


def _step(access: OrgAccess, number: int, step: Step, names: Mapping[UUID, str]) -> StepInWords:
    mail = step if isinstance(step, MailStep) else None
    return StepInWords(
        number=number,
        title=title_of(step),
        condition=CONDITIONS[step.condition] if step.condition else "",
        inputs=_inputs(access, step, names) if isinstance(step, ActionStep) else (),
        email=as_sent(mail.subject, mail.text, access.org) if mail else None,
        is_by_hand=isinstance(step, ActionStep) and step.is_by_hand,
    )


def _inputs(access: OrgAccess, step: ActionStep, names: Mapping[UUID, str]) -> tuple[tuple[Text, Text], ...]:
    action = step.of_catalogue
    fields = fields_of(action, known_attributes(access) if action.form.looks_at_schema and step.inputs else ())
    return tuple(
        (label_of(name, fields[name]) if name in fields else name, _value(value, names))
        for name, value in step.inputs.items()
    )


def _value(value: str, names: Mapping[UUID, str]) -> Text:
    known = identifier(value)
    return CHOICES.get(value) or (names.get(known, value) if known else value) or _EMPTY
