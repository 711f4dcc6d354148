"""A last read that says whether a run has taken all access away: from PingOne, not from what the run believes."""

from collections.abc import Iterator, Mapping

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.models import PlanRunStep
from console.plans.definition import ALL, RECENT, ActionStep, Definition, Step
from console.plans.person import direct_groups, is_recent
from console.plans.targets import device_name
from pingone_integration import devices, sessions
from pingone_integration.calls.api import PingOneApi
from pingone_integration.texts import Text
from pingone_integration.users import User

MOST_ROUNDS = 3

_ACTIVE = _("They are active.")
_GROUP = _("They are in the group {name}.")
_DEVICE = _("They have the MFA device {name}.")
_SESSION = _("They have a session that PingOne has not ended.")

_NOTHING_TO_CHECK = (PlanRunStep.State.TO_COME, PlanRunStep.State.LEFT_OUT)


def left_of(
    definition: Definition, rows: Mapping[int, PlanRunStep], api: PingOneApi, user: User
) -> Iterator[tuple[int, Text]]:
    """Yield what is left of the access that the steps so far should have taken away, with the number of the step.

    Raises PingOneErrors.
    """
    for number, step in definition.numbered():
        if isinstance(step, ActionStep) and rows[number].state not in _NOTHING_TO_CHECK:
            for told in _left_of(step, api, user):
                yield number, told


def is_covered(step: Step) -> bool:
    """Return whether a last read shows of itself that this step is done."""
    if not isinstance(step, ActionStep):
        return False
    return step.action in {"user.deactivate", "sessions.end-all"} or not {ALL, RECENT}.isdisjoint(step.inputs.values())


def _left_of(step: ActionStep, api: PingOneApi, user: User) -> Iterator[Text]:
    if step.action == "user.deactivate" and user.enabled is not False:
        yield _ACTIVE
    if step.action == "group.remove" and step.inputs.get("group_id") == ALL:
        yield from (format_lazy(_GROUP, name=one.name or one.group_id) for one in direct_groups(api, user.id))
    if step.action == "device.remove" and (chosen := step.inputs.get("device_id")) in {ALL, RECENT}:
        for one in devices.all_of(api, user.id):
            if chosen == ALL or is_recent(one.created_at):
                yield format_lazy(_DEVICE, name=device_name(one))
    if step.action == "sessions.end-all":
        # The list also has expired sessions: each is asked by its id, and then is not found.
        yield from (_SESSION for one in sessions.all_of(api, user.id) if sessions.is_open(api, one.id))
