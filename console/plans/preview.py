"""What a plan would do to one person, step by step, as they are now. Nothing is changed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from console.access import OrgAccess
from console.actions.effect import shows
from console.actions.shown import is_shown, shown_of
from console.audit.entries import storable
from console.plans.ahead import date_waits
from console.plans.definition import (
    ALL,
    CONDITIONS,
    MANAGER,
    PERSON,
    RECENT,
    ActionStep,
    Condition,
    Definition,
    MailStep,
    Step,
    WaitStep,
)
from console.plans.person import is_recent
from console.plans.targets import device_name
from pingone_integration import devices, groups, sessions
from pingone_integration.calls.api import PingOneApi
from pingone_integration.texts import Text
from pingone_integration.users import User

_STAYS = _("These memberships stay, because a rule or another group gives them: {groups}.")
_NOT_ALLOWED = _("Your role does not allow this.")
_TOKENS = _("Access tokens that apps already have stay valid until they expire.")
_LATER = _("Read again when it runs.")
_OUR_SCHEDULE = _("This console keeps the time, not PingOne: the end is late if no worker runs then.")
_ENDS = _("It runs only if they are still as the plan left them.")


class Verdict(StrEnum):
    RUNS = "runs"
    ALREADY = "already"
    OPEN = "open"  # asked at the start, or decided when it runs
    REFUSED = "refused"


VERDICTS: dict[Verdict, Text] = {
    Verdict.RUNS: _("Runs"),
    Verdict.ALREADY: _("Is so already"),
    Verdict.OPEN: _("If you choose it"),
    Verdict.REFUSED: _("Refused"),
}


@dataclass(frozen=True, kw_only=True)
class Line:
    """One step as it would be for this person."""

    number: int
    title: Text
    verdict: Verdict
    names: tuple[str, ...] = ()  # of the groups or devices
    notes: tuple[Text, ...] = field(default=())

    @property
    def told(self) -> Text:
        return VERDICTS[self.verdict]


def title_of(step: Step) -> Text:
    """Return a step in words."""
    if isinstance(step, WaitStep):
        if step.asks_date:
            return _("Wait until the chosen date")
        if step.until:
            return format_lazy(_("Wait until {hour}"), hour=step.until)
        return format_lazy(ngettext_lazy("Wait {days} day", "Wait {days} days", step.days), days=step.days)
    if isinstance(step, MailStep):
        to = {PERSON: _("them"), MANAGER: _("their manager")}.get(step.to, step.to)
        return format_lazy(_("Email to {to}: {subject}"), to=to, subject=step.subject)
    chosen = step.inputs.get("group_id") or step.inputs.get("device_id")
    return _EXPANDED.get((step.action, str(chosen)), step.of_catalogue.name)


_EXPANDED: Mapping[tuple[str, str], Text] = {
    ("group.remove", ALL): _("Remove from all groups"),
    ("device.remove", ALL): _("Remove all MFA devices"),
    ("device.remove", RECENT): _("Remove MFA devices added in the last 30 days"),
}


class Reading:
    """What the preview reads of the person, each list at most once."""

    def __init__(self, api: PingOneApi, user: User) -> None:
        self.api, self.user = api, user
        self._memberships: tuple[groups.GroupMembership, ...] | None = None
        self._devices: tuple[devices.Device, ...] | None = None

    @property
    def memberships(self) -> tuple[groups.GroupMembership, ...]:
        if self._memberships is None:
            self._memberships = groups.all_memberships(self.api, self.user.id, whole=True)
        return self._memberships

    @property
    def devices(self) -> tuple[devices.Device, ...]:
        if self._devices is None:
            self._devices = devices.all_of(self.api, self.user.id)
        return self._devices


def preview(access: OrgAccess, definition: Definition, reading: Reading) -> list[Line]:
    """Return what each step would do. Raises PingOneErrors."""
    ends = date_waits(definition)
    return [
        _line(access, number, step, reading, is_later=any(number > end for end in ends))
        for number, step in definition.numbered()
    ]


def _line(access: OrgAccess, number: int, step: Step, reading: Reading, *, is_later: bool) -> Line:
    """Return the line of a step. `is_later`: nobody knows what they are like at its time."""
    title = title_of(step)
    if isinstance(step, WaitStep) and step.asks_date:
        return Line(number=number, title=title, verdict=Verdict.RUNS, notes=(_OUR_SCHEDULE,))
    if not isinstance(step, ActionStep):
        notes = (CONDITIONS[step.condition],) if step.condition else ()
        return Line(number=number, title=title, verdict=Verdict.RUNS, notes=notes)
    is_optional = step.condition is Condition.ASKED or bool(step.asked)
    if not access.may(step.of_catalogue):
        verdict = Verdict.OPEN if is_optional else Verdict.REFUSED
        return Line(number=number, title=title, verdict=verdict, notes=(_NOT_ALLOWED,))
    names, told, is_already = ((), (_ENDS,), False) if is_later else _effect(step, reading)
    is_conditional = step.condition and step.condition is not Condition.ASKED
    conditions: tuple[Text, ...] = (CONDITIONS[step.condition],) if step.condition and is_conditional else ()
    verdict = Verdict.OPEN if is_optional else Verdict.ALREADY if is_already else Verdict.RUNS
    return Line(number=number, title=title, verdict=verdict, names=names, notes=(*conditions, *told))


def _effect(step: ActionStep, reading: Reading) -> tuple[tuple[str, ...], tuple[Text, ...], bool]:
    """Return the names of what a step is about, notes on it, and whether it is so already."""
    user = reading.user
    if step.inputs.get("group_id") == ALL:
        names = tuple(one.name or str(one.group_id) for one in reading.memberships if one.is_direct)
        others = [one.name or str(one.group_id) for one in reading.memberships if not one.is_direct]
        stays = (format_lazy(_STAYS, groups=", ".join(others)),) if others else ()
        return names, (*stays, _LATER), not names
    if (chosen := step.inputs.get("device_id")) in {ALL, RECENT}:
        names = tuple(device_name(one) for one in reading.devices if chosen == ALL or is_recent(one.created_at))
        return names, (_LATER,), not names
    if step.action == "sessions.end-all":
        return (), (_TOKENS,), not sessions.all_of(reading.api, user.id)
    if step.inputs:
        return (), (), False
    expected = storable(step.of_catalogue.expected({})) or {}
    is_readable = bool(expected) and all(map(is_shown, expected))
    return (), (), is_readable and shows(expected, storable(shown_of(user, expected)))
