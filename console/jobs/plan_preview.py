"""The preview of rows that start a plan: what each would do, and what keeps it from starting."""

from typing import Any

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.access import OrgAccess
from console.actions.effect import shows
from console.actions.shown import is_shown, shown_of
from console.audit.entries import storable
from console.jobs.plan_action import PlanAction
from console.jobs.user_preview import Looking
from console.models import Job, JobRow, PlanRun
from console.perform import guards
from console.plans.ahead import chosen_steps
from console.plans.runs import guards_affected
from console.protection import judge
from pingone_integration.texts import Text, english
from pingone_integration.users import User

Verdict = JobRow.Verdict

_RUNS = _("“{plan}” runs for them already.")
_REPLACES = _("Replaces “{plan}”, which runs for them: it is canceled, and what it has done stays.")
_ALREADY = _("Is so already: {steps}.")


class LookingAtPlans(Looking):
    """A look at rows as they would start the plan. Groups, devices and sessions are read when the steps run."""

    def __init__(self, access: OrgAccess, job: Job, action: PlanAction) -> None:
        super().__init__(access, job, action)
        self.plan = action.start(None)
        self.steps = [step.of_catalogue for _number, step in chosen_steps(self.plan.definition, self.plan.choices)]
        self.replaces = bool(action.asked.get("replaces"))

    def at(self, rows: list[JobRow]) -> None:
        super().at(rows)
        started = [row for row in rows if row.verdict == Verdict.CHANGE]
        people = [row.user_id for row in started]
        runs = PlanRun.objects.filter(organization=self.access.org, state__in=PlanRun.OPEN, person_id__in=people)
        known = {run.person_id: run for run in runs}
        for row in started:
            if run := known.get(row.user_id):
                self._beside(row, run)

    def _beside(self, row: JobRow, run: PlanRun) -> None:
        """Decide on the row of a person who has an open run."""
        if self.replaces:
            row.detail = english(format_lazy(_REPLACES, plan=run.plan_name))
            row.inputs = {"replaces": str(run.pk)}
        else:
            row.verdict, row.detail = Verdict.CONFLICT, english(format_lazy(_RUNS, plan=run.plan_name))

    def decide_on(self, row: JobRow, user: User, inputs: dict[str, Any], members: object) -> None:
        self.name(row, user)
        if refusal := self._lock_down():
            row.verdict, row.detail = Verdict.NOT_ALLOWED, english(refusal)
        elif why := self._why_protected(user):
            row.verdict, row.detail = Verdict.PROTECTED, english(why)
        else:
            row.shown, row.detail = {"changes": self._effects(user), "about": {}}, english(self._already(user))
            row.verdict = Verdict.CHANGE

    def _lock_down(self) -> Text:
        gives = any(action.gives_access({}) for action in self.steps if not action.form.looks_at_schema)
        return guards.lock_down_refusal(self.access, gives_access=gives)

    def _why_protected(self, user: User) -> Text:
        affected = guards_affected(self.plan, user)
        found = judge.protection_of(self.access.org, self.api, affected, user) if affected else None
        return found.sentence if found else ""

    def _effects(self, user: User) -> dict[str, list[Any]]:
        """Return the values that a list of users shows, as they are and as the plan leaves them."""
        new: dict[str, Any] = {}
        for action in self.steps:
            if not action.form.visible_inputs():
                new |= {name: value for name, value in (storable(action.expected({})) or {}).items() if is_shown(name)}
        old = storable(shown_of(user, new))
        return {name: [old[name], value] for name, value in new.items() if name in old}

    def _already(self, user: User) -> Text:
        """Return which steps would change nothing."""
        done = []
        for action in self.steps:
            expected = {} if action.form.visible_inputs() else storable(action.expected({})) or {}
            if expected and all(map(is_shown, expected)) and shows(expected, storable(shown_of(user, expected))):
                done.append(str(action.name))
        return format_lazy(_ALREADY, steps=", ".join(done)) if done else ""
