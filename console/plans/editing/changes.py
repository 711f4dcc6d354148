"""Saving and deleting the organization's own plans: by org admins only, a version each time, and on record."""

import json
from typing import Any

from django.db import IntegrityError, transaction
from django.http import Http404
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.access import OrgAccess, Permission
from console.audit import entries
from console.audit.entries import Subject
from console.models import AuditEntry, Plan, PlanRun, PlanVersion
from console.plans.definition import Definition
from console.plans.offered import latest_versions
from console.plans.shipped_plans import shipped
from pingone_integration.texts import Text
from pingone_integration.values import json_object

MOST_PLANS = 200

_OF_SHIPPED = _("“{id}” is the ID of a shipped plan. Choose another one, so that both can be started.")
_TAKEN = _("There is a plan with the ID “{id}”. Choose another one.")
_TOO_MANY = _("There are {most} plans, which is the most. Delete one first.")
_MEANWHILE = _("{email} saved version {number} meanwhile. Nothing of yours was saved, and it is all below.")


class NotSaved(Exception):
    """A plan cannot be saved. `newest`: the version that somebody else saved meanwhile."""

    def __init__(self, reason: Text, *, newest: PlanVersion | None = None) -> None:
        super().__init__(reason)
        self.reason, self.newest = reason, newest


def require_editor(access: OrgAccess) -> None:
    """Raise PermissionDenied for everybody but an org admin."""
    access.require(Permission.MANAGE_POLICIES)
    access.require_org_admin()


def own_or_404(access: OrgAccess, slug: str) -> PlanVersion:
    """Return the newest version of a plan of the organization's own."""
    found = latest_versions(access.org).filter(plan__slug=slug).first()
    if found is None:
        raise Http404("No such plan.")
    return found


def create(access: OrgAccess, definition: Definition, *, source_address: str = "") -> PlanVersion:
    """Save a new plan. Raises PermissionDenied, NotSaved."""
    require_editor(access)
    if definition.id in shipped():
        raise NotSaved(format_lazy(_OF_SHIPPED, id=definition.id))
    if access.org.plans.count() >= MOST_PLANS:
        raise NotSaved(format_lazy(_TOO_MANY, most=MOST_PLANS))
    try:
        with transaction.atomic():
            plan = Plan.objects.create(organization=access.org, slug=definition.id, name=definition.name)
            return _version(access, plan, 1, definition, before={}, source_address=source_address)
    except IntegrityError:
        raise NotSaved(format_lazy(_TAKEN, id=definition.id)) from None


def change(
    access: OrgAccess, slug: str, definition: Definition, *, seen: int, source_address: str = ""
) -> PlanVersion | None:
    """Save a new version of a plan, or return None if nothing differs. `seen`: the version that was edited.

    Raises PermissionDenied, Http404, and NotSaved if somebody else saved a version meanwhile.
    """
    require_editor(access)
    with transaction.atomic():
        plan = Plan.objects.select_for_update().filter(organization=access.org, slug=slug).first()
        newest = plan.versions.select_related("author").first() if plan else None
        if plan is None or newest is None:
            raise Http404("No such plan.")
        if newest.number != seen:
            told = format_lazy(_MEANWHILE, email=newest.author.email, number=newest.number)
            raise NotSaved(told, newest=newest)
        if definition.as_json() == newest.definition:
            return None
        Plan.objects.filter(pk=plan.pk).update(name=definition.name)
        before = on_record(newest.definition)
        return _version(access, plan, newest.number + 1, definition, before=before, source_address=source_address)


def delete(access: OrgAccess, slug: str, *, source_address: str = "") -> str:
    """Delete a plan with its versions, and return its name. Runs that have started go on. Raises as `change`."""
    require_editor(access)
    with transaction.atomic():
        plan = Plan.objects.select_for_update().filter(organization=access.org, slug=slug).first()
        newest = plan.versions.first() if plan else None
        if plan is None or newest is None:
            raise Http404("No such plan.")
        before = {"version": newest.number} | on_record(newest.definition)
        _record(access, "plan-version.deleted", plan.slug, plan.name, source_address, before=before)
        plan.delete()
    return plan.name


def open_runs_of(access: OrgAccess, slug: str) -> int:
    """Return how many runs have started, or will start, with the plan as it was."""
    return PlanRun.objects.filter(organization=access.org, plan_slug=slug, state__in=PlanRun.OPEN).count()


def on_record(said: Any) -> dict[str, Any]:
    """Return a plan for the audit log: a value for each step, so that what differs is seen."""
    plan = json_object(said)
    steps = {
        f"step {number}": json.dumps(one, ensure_ascii=False, sort_keys=True)
        for number, one in enumerate(plan.get("steps", []), start=1)
    }
    return {"name": plan.get("name"), "kind": plan.get("kind")} | steps


def _version(
    access: OrgAccess,
    plan: Plan,
    number: int,
    definition: Definition,
    *,
    before: dict[str, Any],
    source_address: str,
) -> PlanVersion:
    said = definition.as_json()
    made = PlanVersion.objects.create(plan=plan, number=number, definition=said, author=access.operator)
    after = on_record(said)
    changed = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    _record(
        access,
        "plan-version.saved",
        plan.slug,
        definition.name,
        source_address,
        inputs={"version": number},
        before={name: before[name] for name in changed if name in before},
        after={name: after[name] for name in changed if name in after},
    )
    return made


def _record(access: OrgAccess, event: str, slug: str, name: str, source_address: str, **values: Any) -> None:
    entries.record(
        access.org,
        event,
        subject=Subject(kind=AuditEntry.Subject.POLICY, id=slug, name=f"Plan: {name}"),
        operator=access.operator,
        source_address=source_address,
        **values,
    )
