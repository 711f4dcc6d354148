"""What a plan would do to one person, step by step, as they are now. Nothing is changed."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from console.access import OrgAccess
from console.plans.ahead import CHOSEN, Choices, date_waits, is_chosen, would_run
from console.plans.definition import (
    ADDED,
    ALL,
    ASKED,
    BEFORE,
    CONDITIONS,
    GAINED,
    GROUPS,
    LOST,
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
from console.plans.effects import Reading, effect_of
from console.plans.settled import NO_SOURCE, Source
from pingone_integration.texts import Text

_NOT_ALLOWED = _("Your role does not allow this.")
# What nobody would expect of an action.
_CAUTIONS: Mapping[str, Text] = {
    "sessions.end-all": _("Access tokens that apps already have stay valid until they expire."),
    "password.replace": _(
        "Nobody sees the new one. After a forced change alone, the old password would stay valid until they have"
        " changed it."
    ),
}
_OUR_SCHEDULE = _("This console keeps the time, not PingOne: the end is late if no worker runs then.")
_ENDS = _("It runs only if they are still as the plan left them.")


class Verdict(StrEnum):
    RUNS = "runs"
    ALREADY = "already"
    OPEN = "open"  # nothing is chosen for it yet
    LEFT_OUT = "left out"  # the templates, or the plan that is brought back, have nothing for it
    WAITS = "waits"  # for someone who does it
    REFUSED = "refused"


VERDICTS: dict[Verdict, Text] = {
    Verdict.RUNS: _("Runs"),
    Verdict.ALREADY: _("Is so already"),
    Verdict.OPEN: _("If you choose it"),
    Verdict.LEFT_OUT: _("Left out"),
    Verdict.WAITS: _("Waits for someone"),
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
    ("group.remove", LOST): _("Remove from the groups that only the old template has"),
    ("group.remove", ADDED): _("Remove from the groups that the plan added"),
    ("group.add", GAINED): _("Add to the groups that only the new template has"),
    ("group.add", BEFORE): _("Add to the groups that the plan took away"),
    ("group.add", GROUPS): _("Add to groups"),
    ("device.remove", ALL): _("Remove all MFA devices"),
    ("device.remove", RECENT): _("Remove MFA devices added in the last 30 days"),
}


def preview(
    access: OrgAccess, definition: Definition, reading: Reading, choices: Choices, source: Source = NO_SOURCE
) -> list[Line]:
    """Return what each step would do, as far as it is chosen. Raises PingOneErrors."""
    ends = date_waits(definition)
    lines = [
        _line(access, numbered, choices, source, reading, is_later=any(numbered[0] > end for end in ends))
        for numbered in definition.numbered()
    ]
    waits = {number for number, step in definition.numbered() if isinstance(step, WaitStep)}
    return [
        replace(one, verdict=Verdict.OPEN)
        if one.number in waits and not would_run(definition, one.number, choices)
        else one
        for one in lines
    ]


def as_chosen(lines: list[Line]) -> list[Line]:
    """Return the lines once everything is chosen that is going to be: what is open is left out."""
    return [replace(one, verdict=Verdict.LEFT_OUT) if one.verdict is Verdict.OPEN else one for one in lines]


def _line(
    access: OrgAccess,
    numbered: tuple[int, Step],
    choices: Choices,
    source: Source,
    reading: Reading,
    *,
    is_later: bool,
) -> Line:
    """Return the line of a step. `is_later`: nobody knows what they are like at its time."""
    number, step = numbered
    title = title_of(step)
    if isinstance(step, WaitStep) and step.asks_date:
        return Line(number=number, title=title, verdict=Verdict.RUNS, notes=(_OUR_SCHEDULE,))
    if not isinstance(step, ActionStep):
        notes = (CONDITIONS[step.condition],) if step.condition else ()
        return Line(number=number, title=title, verdict=Verdict.RUNS, notes=notes)
    verdict = Verdict.RUNS
    if not is_chosen(number, step, choices):
        is_asked = source is NO_SOURCE or step.condition is Condition.ASKED or ASKED in step.inputs.values()
        verdict = Verdict.OPEN if is_asked else Verdict.LEFT_OUT
    if not access.may(step.of_catalogue):
        verdict = Verdict.REFUSED if verdict is Verdict.RUNS else verdict
        return Line(number=number, title=title, verdict=verdict, notes=(_NOT_ALLOWED,))
    is_conditional = step.condition and step.condition not in CHOSEN
    conditions: tuple[Text, ...] = (CONDITIONS[step.condition],) if step.condition and is_conditional else ()
    if is_later:
        return Line(number=number, title=title, verdict=verdict, notes=(*conditions, _ENDS))
    effect = effect_of(access, step, choices.get(str(number)) or {}, source, reading)
    if effect.refusal:
        return Line(number=number, title=title, verdict=Verdict.REFUSED, notes=(effect.refusal,))
    if verdict is Verdict.RUNS and effect.is_already:
        verdict = Verdict.ALREADY
    cautions = (_CAUTIONS[step.action],) if step.action in _CAUTIONS else ()
    notes = (*conditions, *effect.notes, *cautions)
    return Line(number=number, title=title, verdict=verdict, names=effect.names, notes=notes)
