"""The plans of an organization for its settings: the shipped ones and its own, also one that cannot be read anymore."""

from dataclasses import dataclass

from django.http import Http404

from console.access import OrgAccess
from console.models import PlanVersion
from console.plans.definition import InvalidPlan, Json, read
from console.plans.offered import latest_versions
from console.plans.shipped_plans import shipped
from pingone_integration.texts import Text


@dataclass(frozen=True, kw_only=True)
class Listed:
    """One plan in the list. `version` None: shipped."""

    id: str
    name: str
    steps: int
    version: PlanVersion | None = None
    problem: Text = ""
    replaces_shipped: bool = False


def listed(access: OrgAccess) -> list[Listed]:
    """Return the shipped plans, then the organization's own. One query."""
    own = [_own(version) for version in latest_versions(access.org)]
    return [*(Listed(id=one.id, name=one.name, steps=len(one.steps)) for one in shipped().values()), *own]


def _own(version: PlanVersion) -> Listed:
    plan = version.plan
    try:
        steps, problem = len(read(version.definition).steps), ""
    except InvalidPlan as invalid:
        steps, problem = 0, str(invalid)
    return Listed(
        id=plan.slug,
        name=plan.name,
        steps=steps,
        version=version,
        problem=problem,
        replaces_shipped=plan.slug in shipped(),
    )


def version_or_404(access: OrgAccess, slug: str, number: str = "") -> tuple[Json, PlanVersion | None]:
    """Return what a version of a plan says; "": the newest. None: a shipped plan, which has no versions.

    It may say something that is no plan anymore.
    """
    found = PlanVersion.objects.filter(plan__organization=access.org, plan__slug=slug).select_related("plan", "author")
    if number:
        is_number = number.isascii() and number.isdigit() and len(number) < 10
        found = found.filter(number=int(number)) if is_number else found.none()
    if version := found.first():
        return version.definition, version
    if number or slug not in shipped():
        raise Http404("No such plan.")
    return shipped()[slug].as_json(), None
