"""Settings > Plans: the editor, for a new plan, a copy, a version or an imported file. Only Save stores anything."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods

from console.access import ConsoleRequest, OrgAccess, Permission, org_view
from console.kept_forms import restore
from console.models import PlanVersion
from console.plans.definition import MOST_STEPS, PLACEHOLDERS, Definition, InvalidPlan, Problem, read
from console.plans.editing import changes, plan_file
from console.plans.editing.changes import NotSaved
from console.plans.editing.draft import Draft
from console.plans.editing.examined import examined
from console.plans.editing.in_words import KINDS
from console.plans.editing.listed import version_or_404
from console.plans.editing.step_forms import StepOnPage, environment_for, new_steps
from console.plans.strict_json import LONGEST
from console.sessions.fresh import EDITS_OF_A_PLAN
from console.source_address import source_address
from console.users.remembered import known_attributes
from pingone_integration.texts import Text


@dataclass(kw_only=True)
class _Page:
    """The editor as it is shown. `slug`: of the plan that is edited; "": a new one."""

    draft: Draft
    slug: str = ""
    problems: tuple[Problem, ...] = ()
    notice: Text = ""
    place: int | None = None  # the step that a button was about
    is_checked: bool = False
    status: int = 200
    newest: PlanVersion | None = None
    finds: bool = False  # groups for the step at `place`


@org_view(Permission.MANAGE_POLICIES)
@require_http_methods(["GET", "POST"])
def new_plan(request: ConsoleRequest, access: OrgAccess) -> HttpResponse:
    """Show the editor for a new plan, or for a copy of another (GET); edit it, check it and save it (POST)."""
    access.require_org_admin()
    if request.method == "POST":
        return _sent(request, access, "")
    if kept := restore(request):
        messages.warning(request, str(kept.notice))
        return _shown(request, access, _Page(draft=Draft.sent(kept.typed)))
    draft = Draft()
    if copied := request.GET.get("copy", ""):
        draft = Draft.of(version_or_404(access, copied, request.GET.get("version", ""))[0])
        draft.slug, draft.name = "", str(format_lazy(_("Copy of {name}"), name=draft.name))
    return _shown(request, access, _Page(draft=draft))


@org_view(Permission.MANAGE_POLICIES)
@require_http_methods(["GET", "POST"])
def edit_plan(request: ConsoleRequest, access: OrgAccess, slug: str) -> HttpResponse:
    """Show the editor for a plan, or for an earlier version (GET); edit it, check it and save a version (POST)."""
    access.require_org_admin()
    newest = changes.own_or_404(access, slug)
    if request.method == "POST":
        return _sent(request, access, slug)
    if kept := restore(request):
        messages.warning(request, str(kept.notice))
        return _shown(request, access, _Page(draft=Draft.sent(kept.typed), slug=slug))
    said, version = version_or_404(access, slug, request.GET.get("version", ""))
    page = _Page(draft=Draft.of(said, seen=newest.number), slug=slug)
    if version and version.number != newest.number:
        told = _("Version {old} is below. Save it, and it becomes the newest: version {new} is kept as it is.")
        page.notice = format_lazy(told, old=version.number, new=newest.number)
    return _shown(request, access, page)


@csrf_exempt  # checked below: to read the token is to read the file, which only org admins may send
@org_view(Permission.MANAGE_POLICIES)
@require_http_methods(["GET", "POST"])
def import_plan(request: ConsoleRequest, access: OrgAccess) -> HttpResponse:
    """Ask for a file or a pasted text (GET), and open it in the editor (POST). Nothing is stored."""
    access.require_org_admin()
    upload = plan_file.PlanUpload()
    request.upload_handlers = [upload]
    answer: HttpResponse = csrf_protect(_imported)(request, access, upload)
    return answer


def _imported(request: ConsoleRequest, access: OrgAccess, upload: plan_file.PlanUpload) -> HttpResponse:
    if request.method != "POST":
        return render(request, "console/plans/settings/import.html", {})
    pasted = request.POST.get("pasted", "")
    try:
        draft, problems = _draft_of(access, plan_file.read_file(upload.result() or pasted))
    except InvalidPlan as invalid:
        context = {"problems": invalid.problems, "pasted": pasted[:LONGEST]}
        return render(request, "console/plans/settings/import.html", context, status=422)
    own = PlanVersion.objects.filter(plan__organization=access.org, plan__slug=draft.slug).first()
    notice: Text = _("This is what the file says. Nothing is saved yet.")
    if own:
        draft.seen = own.number
        notice = _("There is a plan with this ID. Saved, this becomes its next version. Nothing is saved yet.")
    page = _Page(draft=draft, slug=draft.slug if own else "", problems=problems, notice=notice, is_checked=True)
    return _shown(request, access, page)


def _draft_of(access: OrgAccess, file: plan_file.PlanFile) -> tuple[Draft, tuple[Problem, ...]]:
    """Return a file as a draft, with what is wrong in it. Raises InvalidPlan if it cannot be shown as one."""
    definition = read(file.said)
    draft = Draft.of(definition.as_json())
    draft.imported = dict(file.names)
    try:
        examined(access, file.said, told=file.names)
    except InvalidPlan as invalid:
        return draft, invalid.problems
    return draft, ()


def _sent(request: ConsoleRequest, access: OrgAccess, slug: str) -> HttpResponse:
    draft, do = Draft.sent(request.POST), request.POST.get("do", "")
    if slug:
        draft.slug = slug
    page = _Page(draft=draft, slug=slug)
    what = do.partition("-")[0]
    if what in EDITS_OF_A_PLAN - {"check"}:
        page.place = draft.edited(do, request.POST, known_attributes(access) if what == "field" else ())
        page.finds = what == "find"
        return _shown(request, access, page)
    page.is_checked = True
    try:
        definition = examined(access, draft.as_json(), told=draft.imported)
    except InvalidPlan as invalid:
        page.problems, page.status = invalid.problems, 422
        return _shown(request, access, page)
    if do == "check":
        page.notice = _("Nothing is wrong with it. It is not saved yet.")
        return _shown(request, access, page)
    try:
        return _saved(request, access, slug, draft, definition)
    except NotSaved as refusal:
        page.problems, page.status = (Problem(step=None, reason=refusal.reason),), 409
        if refusal.newest:
            page.newest, draft.seen = refusal.newest, refusal.newest.number
    return _shown(request, access, page)


def _saved(request: ConsoleRequest, access: OrgAccess, slug: str, draft: Draft, definition: Definition) -> HttpResponse:
    address = source_address(request)
    if slug:
        version = changes.change(access, slug, definition, seen=draft.seen, source_address=address)
    else:
        version = changes.create(access, definition, source_address=address)
    if version is None:
        messages.success(request, _("Nothing was changed."))
    else:
        told = _("Saved version {number}. New runs take it; runs that have started keep theirs.")
        messages.success(request, format_lazy(told, number=version.number))
    return redirect("plan", access.org.slug, definition.id)


def _shown(request: ConsoleRequest, access: OrgAccess, page: _Page) -> HttpResponse:
    environment = environment_for(access, page.draft, finds=page.place if page.finds else None)
    steps = [
        StepOnPage(
            place=place,
            step=step,
            environment=environment,
            problems=tuple(one.reason for one in page.problems if one.step == place + 1),
        )
        for place, step in enumerate(page.draft.steps)
    ]
    org = access.org.slug
    context: dict[str, Any] = {
        "page": page,
        "draft": page.draft,
        "steps": steps,
        "whole": [one.reason for one in page.problems if not one.step or one.step > len(steps)],
        "kinds": KINDS.items(),
        "new_steps": new_steps(),
        "is_full": len(steps) >= MOST_STEPS,
        "most": MOST_STEPS,
        "placeholders": PLACEHOLDERS.items(),
        "address": reverse("edit-plan", args=[org, page.slug]) if page.slug else reverse("new-plan", args=[org]),
    }
    return render(request, "console/plans/settings/editor.html", context, status=page.status)
