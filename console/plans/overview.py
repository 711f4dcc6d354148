"""A run in words, for its page and the calendar."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.access import OrgAccess
from console.models import PlanRun, PlanRunStep
from console.page.zones import is_zone
from console.plans import runs
from console.plans.ahead import chosen_date, would_run
from console.plans.dates import When
from console.plans.definition import Step, WaitStep, read
from console.plans.ends import open_end
from console.plans.preview import title_of
from console.plans.words import STATES, STEP_STATES, STOPS
from pingone_integration.texts import Text


@dataclass(frozen=True, kw_only=True)
class StepLine:
    number: int
    title: Text
    row: PlanRunStep
    is_chosen: bool

    @property
    def outcome(self) -> str:
        """Return the state of the step: one that is to come, and for which nothing was chosen, is left out."""
        is_out = self.row.state == PlanRunStep.State.TO_COME and not self.is_chosen
        return str(PlanRunStep.State.LEFT_OUT) if is_out else self.row.state

    @property
    def state(self) -> Text:
        return STEP_STATES[self.outcome]

    @property
    def targets(self) -> list[dict[str, Any]]:
        """Return what the step did, if it is more than one thing or has a name of its own."""
        return [one for one in self.row.targets or [] if one.get("name")]

    @property
    def entry(self) -> str:
        """Return the only entry in the record, or ""."""
        entries = [one["entry"] for one in self.row.targets or [] if one.get("entry")]
        return entries[0] if len(entries) == 1 and not self.targets else ""


@dataclass(frozen=True)
class Overview:
    run: PlanRun

    @property
    def state(self) -> Text:
        return STATES[self.run.state]

    @property
    def stop(self) -> Text:
        return STOPS.get(self.run.stop, "") if self.run.state == PlanRun.State.STOPPED else ""

    @property
    def time(self) -> Text:
        """Return the time at which it starts, as it was entered; "" for one that was started at once."""
        run = self.run
        if not run.starts_local or not is_zone(run.zone):
            return ""
        return When(local=run.starts_local, zone=run.zone, at=run.starts_at.astimezone(ZoneInfo("UTC"))).told

    @cached_property
    def lines(self) -> list[StepLine]:
        definition = read(self.run.definition)
        rows = {row.number: row for row in self.run.steps.all()}
        choices = self.run.choices
        return [
            StepLine(number=of, title=self._title(of, step), row=rows[of], is_chosen=would_run(definition, of, choices))
            for of, step in definition.numbered()
        ]

    def _title(self, number: int, step: Step) -> Text:
        """Return a step in words, with what was chosen for it."""
        chosen = self.end_of(number) if isinstance(step, WaitStep) and step.asks_date else None
        return format_lazy(_("Wait until {time}"), time=chosen.told) if chosen else title_of(step)

    def end_of(self, number: int) -> When | None:
        """Return the chosen end of a wait until a date."""
        chosen, at = self.run.choices.get(str(number)) or {}, chosen_date(number, self.run.choices)
        if at is None:
            return None
        zone = chosen.get("zone") or self.run.zone
        return When(local=chosen.get("date", ""), zone=zone if is_zone(zone) else "UTC", at=at)


@dataclass(frozen=True, kw_only=True)
class Button:
    do: str
    label: Text
    look: str = ""


def buttons_for(access: OrgAccess, run: PlanRun) -> Iterator[Button]:
    """Yield what this operator can do with the run now. Whether they may is decided when they do it."""
    if not run.is_open or access.viewing_as:
        return
    if run.state == PlanRun.State.STOPPED and runs.may_decide(access, run):
        is_own = run.starter_id == access.operator.pk
        yield Button(do="resume", label=_("Go on") if is_own else _("Take over and go on"), look="btn-primary")
    if run.state == PlanRun.State.WAITING and open_end(run) and runs.may_decide(access, run):
        yield Button(do="end-now", label=_("End it now"))
    if runs.may_cancel(access, run):
        yield Button(do="cancel", label=_("Cancel the plan"), look="btn-outline-danger")
