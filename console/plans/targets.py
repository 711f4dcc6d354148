"""What one step does to the person: the same action once, or for each of their groups or devices as just read."""

from collections.abc import Mapping
from typing import Any

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.access import Acting
from console.actions.action import Json
from console.models import PlanRun
from console.plans.definition import ALL, ASKED, RECENT, ActionStep
from console.plans.person import direct_groups, is_recent
from console.plans.placeholders import filled_in
from console.users.remembered import known_attributes
from pingone_integration import devices
from pingone_integration.calls.api import PingOneApi
from pingone_integration.devices import Device
from pingone_integration.texts import Text, english
from pingone_integration.users import User

Target = dict[str, Any]  # "inputs" as typed, "name" of the object, later "entry" and "state"


class NothingChosen(Exception):
    """The step asks for something at the start, and nothing was chosen for it."""


class UnusableInput(ValueError):
    """The action's own form does not take an input."""

    def __init__(self, reason: Text) -> None:
        super().__init__(reason)
        self.reason = reason


def targets_of(step: ActionStep, number: int, run: PlanRun, api: PingOneApi, user: User) -> list[Target]:
    """Return what the step does. Raises NothingChosen and PingOneErrors."""
    chosen: Mapping[str, str] = run.choices.get(str(number)) or {}
    inputs = {}
    for name, value in step.inputs.items():
        if value == ASKED and not chosen.get(name):
            raise NothingChosen
        inputs[name] = chosen[name] if value == ASKED else filled_in(value, user, run.organization)
    for name, value in step.inputs.items():
        if value == ALL and name == "group_id":
            return [_target(inputs, name, one.group_id, one.name) for one in direct_groups(api, user.id)]
        if value in {ALL, RECENT} and name == "device_id":
            found = devices.all_of(api, user.id)
            taken = [one for one in found if value == ALL or is_recent(one.created_at)]
            return [_target(inputs, name, one.id, device_name(one)) for one in taken]
    return [{"inputs": inputs, "name": ""}]


def inputs_for(step: ActionStep, target: Target, access: Acting, run: PlanRun, user: User) -> Json:
    """Return the inputs as the action takes them, checked by its own form. Raises UnusableInput."""
    action = step.of_catalogue
    common = {"ticket": run.ticket, "reason": run.reason, "submission": str(run.pk)}
    typed = dict(target["inputs"])
    if action.form.looks_at_user and "username" in action.form.base_fields and not action.form.looks_at_schema:
        typed["username"] = user.username  # what a person types to confirm was confirmed at the start
    more: dict[str, Any] = {}
    if action.form.looks_at_schema:
        more = {"attributes": known_attributes(access), "may_edit": access.may_edit}
        typed.setdefault("formatted_offered", "1")  # a plan changes what it says: nobody is there to be asked
    form = action.form({**typed, **common}, user=user, limits=action.limits_for(access), **more)
    if not form.is_valid():
        raise UnusableInput(_told(form.errors))
    return form.inputs()


def _told(errors: Mapping[str, Any]) -> Text:
    words = (format_lazy("{name}: {problem}", name=name, problem=one) for name, all_ in errors.items() for one in all_)
    return " ".join(map(str, words))


def device_name(device: Device) -> str:
    words = (english(device.kind), device.nickname or device.target)
    return " ".join(word for word in words if word)


def _target(inputs: Mapping[str, str], name: str, of: object, called: str) -> Target:
    return {"inputs": {**inputs, name: str(of)}, "name": called or str(of)}


NOTHING_CHOSEN = _("Nothing was chosen for it.")
