"""What a job does that starts a plan for each row: described like an action of the catalogue, without being one."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import Http404
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.access import Acting, OrgAccess, Permission
from console.actions.action import Action, Json
from console.actions.catalogue import BY_KEY
from console.actions.limits import Limits
from console.models import Job, PlanVersion
from console.plans.ahead import Choices, asked_of, completed
from console.plans.dates import When
from console.plans.definition import ActionStep, Definition, WaitStep, read
from console.plans.offered import offered_for, plan_or_404
from console.plans.preview import title_of
from console.plans.runs import Start
from pingone_integration.texts import Text

PREFIX = "plan."  # of the key, before the ID of the plan

_DOES = _("Each user gets a run of the plan: {steps}.")
_LEAVES = _("Protected users are left alone. A run that has begun is not undone with the job.")
_OF_ONE_PERSON = frozenset({"device_id"})  # inputs that cannot be asked for all at once


def _never(*args: Any, **inputs: Any) -> None:
    raise NotImplementedError("a row starts a run of the plan")


@dataclass(frozen=True, kw_only=True)
class PlanAction(Action):
    """A plan as what a job does. `asked`: what was asked once for all rows; see PlanForManyForm."""

    definition: Definition
    version: int | None = None  # a PlanVersion; None: shipped
    asked: Json = field(default_factory=dict)

    @property
    def actions(self) -> list[Action]:
        return [step.of_catalogue for step in self.definition.steps if isinstance(step, ActionStep)]

    @property
    def choices(self) -> Choices:
        return completed(self.definition, self.asked.get("choices", {}))

    @property
    def when(self) -> When | None:
        said = self.asked.get("when")
        return When(local=said["date"], zone=said["zone"], at=datetime.fromisoformat(said["at"])) if said else None

    def limits_for(self, access: Acting) -> Limits:
        """Return no limits but the reason, if the role demands one for any of the steps."""
        own = super().limits_for(access)
        return replace(own, needs_reason=any(one.limits_for(access).needs_reason for one in self.actions))

    def told_inputs(self) -> Iterable[tuple[Text, Text]]:
        """Yield what was asked once for all rows, in words."""
        yield _("When"), self.when.told if self.when else _("Now, when the job runs")
        for number, step in self.definition.numbered():
            chosen = self.choices.get(str(number)) or {}
            if chosen and not isinstance(step, WaitStep):
                yield title_of(step), ", ".join("" if one == "on" else one for one in chosen.values()) or _("Yes")
            elif at := chosen.get("at"):
                end = When(local=chosen["date"], zone=chosen["zone"], at=datetime.fromisoformat(at))
                yield _("Until"), end.told
        if self.asked.get("replaces"):
            yield _("Plans that run for them already"), _("Are replaced")

    def stored(self) -> Json:
        """Return the plan as the job keeps it: frozen when the job is made."""
        return {"definition": self.definition.as_json(), "version": self.version, "asked": self.asked}

    def start(self, replaces: UUID | None) -> Start:
        """Return what is started for one row."""
        when = self.when
        return Start(
            definition=self.definition,
            version=PlanVersion.objects.filter(pk=self.version).first() if self.version else None,
            choices=self.choices,
            when=when,
            zone=when.zone if when else "",
            replaces=replaces,
        )


def plan_action(definition: Definition, version: int | None, asked: Json | None = None) -> PlanAction:
    steps = ", ".join(str(title_of(step)) for step in definition.steps)
    return PlanAction(
        key=PREFIX + definition.id,
        label=definition.name,
        done=definition.name,
        told=definition.name,
        does=format_lazy(_DOES, steps=steps),
        leaves=_LEAVES,
        permission=Permission.RUN_JOBS,
        call=_never,
        bulk=True,
        endpoint="",
        pingone_permission="",
        definition=definition,
        version=version,
        asked=asked or {},
    )


def offered_for_many(access: OrgAccess) -> list[PlanAction]:
    """Return the plans that a job may start: those that ask nothing that differs from person to person."""
    return [plan_action(one, _version(access, one)) for one in offered_for(access) if _is_for_many(one)]


def _version(access: OrgAccess, definition: Definition) -> int | None:
    version = plan_or_404(access, definition.id)[1]
    return version.pk if version else None


def _is_for_many(definition: Definition) -> bool:
    return not any(name in _OF_ONE_PERSON for _number, _step, name in asked_of(definition))


def plan_with_key(access: OrgAccess, key: str) -> PlanAction | None:
    """Return the plan that a job with this key starts, as it is now."""
    if not key.startswith(PREFIX):
        return None
    try:
        definition, version = plan_or_404(access, key.removeprefix(PREFIX))
    except Http404:
        return None
    known = plan_action(definition, version.pk if version else None)
    return known if _is_for_many(definition) else None


def action_of(job: Job) -> Action:
    """Return what a job does: an action of the catalogue, or the start of a plan."""
    if job.plan is None:
        return BY_KEY[job.action]
    return plan_action(read(job.plan["definition"]), job.plan["version"], job.plan["asked"])


def keys_of(action: Action) -> Iterable[str]:
    """Return the keys of the catalogue's actions that a row runs."""
    return [one.key for one in action.actions] if isinstance(action, PlanAction) else [action.key]
