"""The plans that an operator can start for a user."""

from django.core.exceptions import PermissionDenied
from django.http import Http404

from console.access import OrgAccess
from console.models import PlanVersion
from console.plans import runs
from console.plans.definition import Definition, Kind, read
from console.plans.shipped_plans import shipped

FOR_A_USER = frozenset({Kind.LEAVE, Kind.CHANGE})  # the others begin elsewhere: New user, or the run to bring back


def offered_for(access: OrgAccess) -> list[Definition]:
    """Return those for which the operator may do everything that is not left to choose. One query."""
    return [one for one in (*shipped().values(), *_own(access)) if one.kind in FOR_A_USER and _may(access, one)]


def every_plan(access: OrgAccess) -> list[Definition]:
    """Return all plans that start for a user, whoever may start them. One query."""
    return [one for one in {**shipped(), **{own.id: own for own in _own(access)}}.values() if one.kind in FOR_A_USER]


def plan_or_404(access: OrgAccess, slug: str) -> tuple[Definition, PlanVersion | None]:
    """Return a plan with its latest version; None: a shipped plan. One of the organization's own comes first."""
    versions = PlanVersion.objects.filter(plan__organization=access.org, plan__slug=slug).order_by("-number")
    if latest := versions.first():
        return read(latest.definition), latest
    if slug not in shipped():
        raise Http404("No such plan.")
    return shipped()[slug], None


def _own(access: OrgAccess) -> list[Definition]:
    """Return the latest version of each of the organization's plans."""
    latest: dict[object, PlanVersion] = {}
    for version in PlanVersion.objects.filter(plan__organization=access.org).order_by("plan__name", "-number"):
        latest.setdefault(version.plan_id, version)
    return [read(version.definition) for version in latest.values()]


def _may(access: OrgAccess, definition: Definition) -> bool:
    try:
        runs.require_each(access, definition, {})
    except PermissionDenied:
        return False
    return True
