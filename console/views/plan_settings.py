"""Settings > Plans: the shipped plans and the organization's own, in words, with their versions; export, and delete."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from console.access import ConsoleRequest, OrgAccess, Permission, org_view
from console.models import PlanVersion
from console.plans.definition import InvalidPlan, read
from console.plans.editing import changes, plan_file, references
from console.plans.editing.in_words import KINDS, in_words
from console.plans.editing.listed import listed, version_or_404
from console.source_address import source_address

MOST_VERSIONS = 50  # on the page


@org_view(Permission.MANAGE_POLICIES)
@require_safe
def plans(request: ConsoleRequest, access: OrgAccess) -> HttpResponse:
    """List the shipped plans and the organization's own."""
    access.require_org_admin()
    return render(request, "console/plans/settings/plans.html", {"plans": listed(access)})


@org_view(Permission.MANAGE_POLICIES)
@require_safe
def plan(request: ConsoleRequest, access: OrgAccess, slug: str) -> HttpResponse:
    """Show a plan in words, as it is or as one of its versions was, and who saved which version."""
    access.require_org_admin()
    said, version = version_or_404(access, slug, request.GET.get("version", ""))
    versions: list[PlanVersion] = []
    if version:
        versions = list(version.plan.versions.select_related("author").defer("definition")[: MOST_VERSIONS + 1])
    try:
        definition, problem = read(said), ""
    except InvalidPlan as invalid:
        definition, problem = None, str(invalid)
    context: dict[str, Any] = {
        "plan": said,
        "problem": problem,
        "kind": KINDS[definition.kind] if definition else "",
        "steps": in_words(access, definition) if definition else [],
        "version": version,
        "shown": version.number if version else "",
        "is_old": bool(version and version.number != versions[0].number),
        "versions": versions[:MOST_VERSIONS],
        "has_more": len(versions) > MOST_VERSIONS,
        "open_runs": changes.open_runs_of(access, slug) if version else 0,
    }
    return render(request, "console/plans/settings/plan.html", context)


@org_view(Permission.MANAGE_POLICIES)
@require_safe
def export_plan(request: ConsoleRequest, access: OrgAccess, slug: str) -> HttpResponse:
    """Send a plan, or one of its versions, as a file."""
    access.require_org_admin()
    said, _version = version_or_404(access, slug, request.GET.get("version", ""))
    try:
        definition = read(said)
    except InvalidPlan as invalid:
        raise Http404("No plan anymore.") from invalid
    names = references.looked_up(access, definition).names
    response = HttpResponse(plan_file.written(definition, names), content_type="application/json; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="plan-{definition.id}.json"'
    return response


@org_view(Permission.MANAGE_POLICIES)
@require_POST
def delete_plan(request: ConsoleRequest, access: OrgAccess, slug: str) -> HttpResponse:
    """Delete a plan of the organization's own. Runs that have started keep the version that they started with."""
    access.require_org_admin()
    try:
        name = changes.delete(access, slug, source_address=source_address(request))
    except Http404:
        messages.error(request, _("This plan no longer exists."))
    else:
        messages.success(request, format_lazy(_("Deleted the plan {plan}."), plan=name))
    return redirect("plans", access.org.slug)
