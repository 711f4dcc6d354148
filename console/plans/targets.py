"""What one step does to the person: the same action once, or for each of their groups or devices as just read."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.access import Acting
from console.actions.action import Json
from console.actions.custom_attributes import field_name
from console.actions.edit_user_form import NO_CHANGES
from console.actions.profile_forms import ProfileForm
from console.models import PlanRun, PlanRunStep
from console.plans.definition import ALL, FIELDS, OF_GROUPS, RECENT, ActionStep
from console.plans.group_targets import GroupTarget, group_targets
from console.plans.person import direct_groups, is_recent
from console.plans.placeholders import filled_in
from pingone_integration import devices, groups, schemas
from pingone_integration.calls.api import PingOneApi
from pingone_integration.devices import Device
from pingone_integration.profiles import custom_name
from pingone_integration.texts import Text, english
from pingone_integration.users import User

Target = dict[str, Any]  # "inputs" as typed, "name" of the object, later "entry" and "state"


class NothingChosen(Exception):
    """The step asks for something at the start, and nothing was chosen for it."""


class NothingToChange(Exception):
    """The person has these values already."""


class UnusableInput(ValueError):
    """The action's own form does not take an input."""

    def __init__(self, reason: Text) -> None:
        super().__init__(reason)
        self.reason = reason


def targets_of(step: ActionStep, number: int, run: PlanRun, api: PingOneApi, user: User) -> list[Target]:
    """Return what the step does. Raises NothingChosen and PingOneErrors."""
    chosen: Mapping[str, Any] = run.choices.get(str(number)) or {}
    if not all(chosen.get(name) for name in step.settled):
        raise NothingChosen
    fields = fields_of(step, chosen)
    inputs = {
        name: value if name not in step.inputs or name in step.settled else filled_in(value, user, run.organization)
        for name, value in fields.items()
    }
    group, device = step.inputs.get("group_id"), step.inputs.get("device_id")
    if group == ALL:
        return [_target(inputs, "group_id", one.group_id, one.name) for one in direct_groups(api, user.id)]
    if group in OF_GROUPS:
        memberships = groups.all_memberships(api, user.id, whole=True)
        found = group_targets(step, chosen["group_id"], memberships, run.organization, api)
        return [_target(inputs, "group_id", one.id, one.name) | _left_out(one) for one in found]
    if device in {ALL, RECENT}:
        listed = devices.all_of(api, user.id)
        taken = [one for one in listed if device == ALL or is_recent(one.created_at)]
        return [_target(inputs, "device_id", one.id, device_name(one)) for one in taken]
    return [{"inputs": inputs, "name": ""}]


def fields_of(step: ActionStep, chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Return the inputs by the names of the form's fields, with what is settled; those of a template one by one."""
    given = {name: chosen.get(name, value) if name in step.settled else value for name, value in step.inputs.items()}
    every = given.pop(FIELDS, {})
    return {**given, **(every if isinstance(every, Mapping) else {})}


def our_name(field: str) -> str:
    """Return our name of a profile field, from its name in the form."""
    custom = field.removeprefix(field_name(""))
    return field if custom == field else custom_name(custom)


def inputs_for(step: ActionStep, target: Target, access: Acting, run: PlanRun, user: User) -> Json:
    """Return the inputs as the action takes them, checked by its own form.

    Raises NothingToChange, UnusableInput, and PingOneErrors if the schema cannot be read.
    """
    action = step.of_catalogue
    common = {"ticket": run.ticket, "reason": run.reason, "submission": str(run.pk)}
    typed: dict[str, Any] = dict(target["inputs"])
    more: dict[str, Any] = {}
    if action.form.looks_at_schema:
        is_custom = any(our_name(name) != name for name in typed)
        attributes = schemas.user_attributes(access.pingone()) if is_custom else None
        more = {"attributes": attributes, "may_edit": access.may_edit}
    elif action.form.looks_at_user and "username" in action.form.base_fields:
        typed["username"] = user.username  # what a person types to confirm was confirmed at the start
    # A plan changes what it says: nobody is there to be asked about a formatted name that holds the old one.
    form = action.form(
        {"formatted_offered": "1", **typed, **common}, user=user, limits=action.limits_for(access), **more
    )
    if isinstance(form, ProfileForm) and (unknown := typed.keys() - form.fields.keys() - form.not_theirs.keys()):
        raise UnusableInput(format_lazy(_NO_FIELD, fields=", ".join(sorted(unknown))))
    if not form.is_valid():
        if form.has_error(NON_FIELD_ERRORS, NO_CHANGES):
            raise NothingToChange
        raise UnusableInput(_told(form.errors))
    return form.inputs()


def _told(errors: Mapping[str, Any]) -> Text:
    words = (format_lazy("{name}: {problem}", name=name, problem=one) for name, all_ in errors.items() for one in all_)
    return " ".join(map(str, words))


def device_name(device: Device) -> str:
    words = (english(device.kind), device.nickname or device.target)
    return " ".join(word for word in words if word)


def _left_out(group: GroupTarget) -> Target:
    why = english(group.left_out)
    return {"state": str(PlanRunStep.State.LEFT_OUT), "detail": why} if why else {}


def _target(inputs: Mapping[str, str], name: str, of: object, called: str) -> Target:
    return {"inputs": {**inputs, name: str(of)}, "name": called or str(of)}


_NO_FIELD = _("The user schema of PingOne no longer has: {fields}.")
NOTHING_CHOSEN = _("Nothing was chosen for it.")
