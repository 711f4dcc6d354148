"""The inputs that a plan can give an action: the fields of the action's own form, which also checks them."""

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import uuid4

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.actions.action import Action
from console.actions.forms import ActionForm
from console.models import Organization
from console.plans.definition import CHOICES, CREATES, DELETES, FIELDS, FITS, ActionStep, Definition, Problem
from console.plans.placeholders import MANAGER_OF_SOMEBODY, filled_in, somebody
from pingone_integration.schemas import Attribute
from pingone_integration.texts import Text

Attributes = tuple[Attribute, ...] | None  # of the environment's users; None: not known

_NO_FIELD = _("“{action}” has no field {name}.")
_MISSING = _("{label}: choose or enter a value.")
_NOTHING = _("Add a field: it changes nothing.")


def fields_of(action: Action, attributes: Attributes) -> dict[str, forms.Field]:
    """Return the fields that a plan can fill in, by name: no secret, and nothing that is typed to confirm."""
    if action.key in {CREATES, DELETES}:  # a new user's profile is typed at the start
        return {}
    form = _form(action, {}, attributes)
    return {
        name: field
        for name, field in form.fields.items()
        if name not in {*form.COMMON, *action.secret_inputs}
        and (isinstance(field, forms.UUIDField) or not field.widget.is_hidden)
        and not isinstance(field, forms.MultipleChoiceField)  # several values have no text of their own
    }


def choices_for(name: str) -> dict[str, Text]:
    """Return the choices that can stand for an input, in words."""
    return {choice: told for choice, told in CHOICES.items() if choice not in FITS or name in FITS[choice]}


def problems_in(definition: Definition, organization: Organization, attributes: Attributes) -> Iterator[Problem]:
    """Yield what the actions' own forms refuse of the inputs."""
    for number, step in definition.numbered():
        if isinstance(step, ActionStep):
            for reason in _refused(step, organization, attributes):
                yield Problem(step=number, reason=reason)


def _refused(step: ActionStep, organization: Organization, attributes: Attributes) -> Iterable[Text]:
    action = step.of_catalogue
    fields = fields_of(action, attributes)
    every = {FIELDS} if action.form.looks_at_schema else set()
    for name in step.inputs.keys() - fields.keys() - every:
        yield format_lazy(_NO_FIELD, action=action.name, name=name[:60])
    typed = {name: value for name, value in step.inputs.items() if value not in CHOICES}
    if action.form.takes_parts and not step.inputs:
        yield _NOTHING
    sample = {
        name: filled_in(value, somebody(), organization, manager=MANAGER_OF_SOMEBODY) for name, value in typed.items()
    }
    form = _form(action, sample | {"submission": str(uuid4())}, attributes)
    for name, problems in form.errors.items():
        if name in typed and name in fields:
            label = fields[name].label or name
            yield from (format_lazy("{label}: {problem}", label=label, problem=one) for one in problems)
        elif name in fields and name not in step.inputs and not action.form.takes_parts:
            yield format_lazy(_MISSING, label=label_of(name, fields[name]))


def label_of(name: str, field: forms.Field | None) -> Text:
    """Return the label of a field. Hidden ones, which a page fills in, have none."""
    return (field and field.label) or _OF_IDS.get(name, name)


_OF_IDS: dict[str, Text] = {
    "group_id": _("Group"),
    "device_id": _("MFA device"),
    "session_id": _("Session"),
    FIELDS: _("All fields"),
}


def _form(action: Action, data: dict[str, str], attributes: Attributes) -> ActionForm:
    more: dict[str, Any] = {"attributes": attributes} if action.form.looks_at_schema else {}
    return action.form(data or None, **more)
