"""Bring back: what a run has taken away, or changed, from its own record. Devices and sessions do not return."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.core.exceptions import PermissionDenied
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.access import OrgAccess
from console.models import PlanRun, PlanRunStep
from console.plans import runs
from console.plans.definition import ADDED, BEFORE, ActionStep, Definition, Kind, read
from console.plans.settled import Source
from console.plans.shipped_plans import shipped
from pingone_integration.texts import Text

_OVER = (PlanRun.State.FINISHED, PlanRun.State.STOPPED, PlanRun.State.CANCELED)
_MAY_HAVE_HAPPENED = frozenset({PlanRunStep.State.DONE, PlanRunStep.State.UNKNOWN})

_WHAT = _("It brings back what “{plan}” did.")
_NOT_BACK = _("Removed MFA devices, ended sessions, a replaced password and changed profile fields do not come back.")
_SINCE = _("“{plan}” has run for them since then. What it did is not undone.")


def plan() -> Definition:
    return shipped()["bring-back"]


def source_of(run: PlanRun) -> Source:
    """Return what the run has changed, as it was before. Reads the steps of the run."""
    before: dict[str, Any] = run.before
    did: dict[str, list[str]] = {"user.deactivate": [], "user.move": [], "group.remove": [], "group.add": []}
    names: dict[str, str] = {}
    for step, target in _done_by(run):
        if step.action in did:
            group = str(target["inputs"].get("group_id", ""))
            did[step.action].append(group)
            names[group] = target["name"] or group
    had = {one["id"]: one["name"] or one["id"] for one in before.get("groups", ())}
    lost = dict.fromkeys(did["group.remove"])
    if did["user.move"]:  # PingOne ends memberships of groups of the former population
        place = before.get("population_id")
        lost |= {one["id"]: None for one in before["groups"] if place and one.get("population_id") == place}
    values: dict[str, dict[str, Any]] = {
        BEFORE: {"group_id": [{"id": one, "name": had[one]} for one in lost if one in had]},
        ADDED: {
            "group_id": [{"id": one, "name": names[one]} for one in dict.fromkeys(did["group.add"]) if one not in had]
        },
    }
    if did["user.move"]:
        values[BEFORE] |= {name: before.get(name) or "" for name in ("population_id", "population_name")}
    return Source(values=values, was_active=bool(did["user.deactivate"]) and before.get("enabled") is True)


def _done_by(run: PlanRun) -> Iterator[tuple[ActionStep, dict[str, Any]]]:
    """Yield what the run has done, or may have done, with the step."""
    steps = read(run.definition).steps
    for row in run.steps.all():
        step = steps[row.number - 1]
        if isinstance(step, ActionStep):
            for target in (*(row.earlier or ()), *(row.targets or ())):
                if target.get("state") in _MAY_HAVE_HAPPENED:
                    yield step, target


def can_be(run: PlanRun) -> bool:
    """Return whether there is something to bring back: the run is over or has stopped, and changed the person."""
    is_over = run.state in _OVER and run.definition["kind"] != Kind.RETURN
    return is_over and bool(run.before) and bool(source_of(run).choices(plan()))


def is_offered(access: OrgAccess, run: PlanRun) -> bool:
    """Return whether this operator may bring back what the run did, as far as their role decides."""
    if run.person_id is None or not can_be(run):
        return False
    try:
        runs.require_each(access, plan(), source_of(run).choices(plan()))
    except PermissionDenied:
        return False
    return True


def latest_offered(access: OrgAccess, newest_first: Iterable[PlanRun]) -> PlanRun | None:
    """Return the last run of a person that can be brought back, unless that has been done."""
    for run in newest_first:
        if run.definition["kind"] == Kind.RETURN and run.state == PlanRun.State.FINISHED:
            return None
        if is_offered(access, run):
            return run
    return None


def notes_on(run: PlanRun) -> list[Text]:
    """Return what is said before a run is brought back."""
    later = PlanRun.objects.filter(
        organization=run.organization, person_id=run.person_id, created_at__gt=run.created_at
    ).order_by("-created_at")
    since = [one for one in later[:20] if one.definition["kind"] != Kind.RETURN]
    return [
        format_lazy(_WHAT, plan=run.plan_name),
        _NOT_BACK,
        *(format_lazy(_SINCE, plan=one.plan_name) for one in since[:1]),
    ]
