"""The plans that an operator can start for a user."""

from collections.abc import Iterator

from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import Http404

from console.access import OrgAccess
from console.models import Organization, PlanVersion
from console.plans import runs
from console.plans.definition import Definition, InvalidPlan, Kind, read
from console.plans.shipped_plans import shipped

FOR_A_USER = frozenset({Kind.LEAVE, Kind.CHANGE})  # the others begin elsewhere: New user, or the run to bring back


def offered_for(access: OrgAccess) -> list[Definition]:
    """Return those for which the operator may do everything that is not left to choose. One query.

    A plan of the organization's own stands in for a shipped one with the same ID.
    """
    every = shipped() | {one.id: one for one in _own(access)}
    return [one for one in every.values() if one.kind in FOR_A_USER and _may(access, one)]


def joiners(access: OrgAccess) -> list[Definition]:
    """Return the plans that create a user, for which the same holds. One query."""
    return [one for one in (*shipped().values(), *_own(access)) if one.kind is Kind.JOIN and _may(access, one)]


def joiner_or_404(access: OrgAccess, slug: str) -> tuple[Definition, PlanVersion | None]:
    """Return a plan that creates a user, with its latest version; None: a shipped plan."""
    definition, version = plan_or_404(access, slug)
    if definition.kind is not Kind.JOIN:
        raise Http404("No such plan for a new user.")
    return definition, version


def every_plan(access: OrgAccess) -> list[Definition]:
    """Return all plans that start for a user, whoever may start them. One query."""
    return [one for one in {**shipped(), **{own.id: own for own in _own(access)}}.values() if one.kind in FOR_A_USER]


def plan_or_404(access: OrgAccess, slug: str) -> tuple[Definition, PlanVersion | None]:
    """Return a plan with its latest version; None: a shipped plan. One of the organization's own comes first."""
    versions = PlanVersion.objects.filter(plan__organization=access.org, plan__slug=slug).order_by("-number")
    if latest := versions.first():
        try:
            return read(latest.definition), latest
        except InvalidPlan as invalid:
            raise Http404("No plan anymore.") from invalid
    if slug not in shipped():
        raise Http404("No such plan.")
    return shipped()[slug], None


def latest_versions(organization: Organization) -> QuerySet[PlanVersion]:
    """Return the newest version of each of the organization's plans, by their names. One query."""
    newest = PlanVersion.objects.filter(plan=OuterRef("plan")).order_by("-number").values("number")[:1]
    of_all = PlanVersion.objects.filter(plan__organization=organization, number=Subquery(newest))
    return of_all.select_related("plan", "author").order_by("plan__name", "plan__slug")


def _own(access: OrgAccess) -> Iterator[Definition]:
    """Yield the organization's plans. One that cannot be read anymore is left out; its settings say why."""
    for version in latest_versions(access.org):
        try:
            yield read(version.definition)
        except InvalidPlan:
            continue


def _may(access: OrgAccess, definition: Definition) -> bool:
    try:
        runs.require_each(access, definition, {})
    except PermissionDenied:
        return False
    return True
