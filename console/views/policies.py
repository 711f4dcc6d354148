"""Settings > Policies: the matrix of roles, and changing, copying, renaming and deleting a role."""

import json
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from console.access import ConsoleRequest, OrgAccess, Permission, org_view
from console.kept_forms import restore
from console.policies import changes, second_factor
from console.policies.forms import RoleNameForm
from console.policies.matrix import (
    AREAS,
    DEMAND_LABELS,
    FIELD_LABELS,
    LABELS,
    PAGE_RIGHTS,
    RoleOnPage,
    matrix,
    role_of,
    roles_of,
)
from console.responses import to_sign_in_again
from console.rights.roles import Rights
from console.sessions.fresh import signed_in_at
from console.source_address import source_address


@org_view(Permission.MANAGE_POLICIES)
@require_safe
def policies(request: ConsoleRequest, access: OrgAccess) -> HttpResponse:
    """Show what each role may do."""
    roles = roles_of(access.org)
    context = {
        "roles": roles,
        "areas": list(matrix(access, roles)),
        "page_rights": [
            (label, [permission in role.rights.pages for role in roles]) for permission, label in PAGE_RIGHTS.items()
        ],
        "second_factor": [(role, role.key not in access.org.second_factor_optional) for role in roles],
        "second_factor_off": not settings.SECOND_FACTOR_DEMANDED,
        "copying": RoleNameForm(auto_id="copy-%s"),
    }
    return render(request, "console/policies/policies.html", context)


@org_view(Permission.MANAGE_POLICIES)
@require_http_methods(["GET", "POST"])
def role(request: ConsoleRequest, access: OrgAccess, key: str) -> HttpResponse:
    """Show a role's rights (GET), show what a change does (POST), or save it (POST `save`)."""
    shown = _role_or_404(access, key)
    if request.method != "POST":
        if kept := restore(request):
            messages.warning(request, str(kept.notice))
        return _page(request, shown, changes.rights_in(kept.typed) if kept else shown.rights)
    wanted = changes.rights_in(request.POST)
    if "edit" in request.POST:
        return _page(request, shown, wanted)
    effects = changes.effects(shown, wanted)
    if "save" not in request.POST or not effects:
        return _page(request, shown, wanted, effects=effects, previews=True)
    try:
        seen = _json(request.POST.get("seen", ""))
        changes.change(access, key, wanted, seen=seen, source_address=source_address(request))
    except changes.NotPossible as problem:
        messages.error(request, str(problem.reason))
        return _page(request, shown, wanted, effects=effects, previews=True, status=409)
    messages.success(request, format_lazy(_("Saved the role {role}."), role=shown.name))
    return redirect("policies", access.org.slug)


@org_view(Permission.MANAGE_POLICIES)
@require_POST
def second_factor_policy(request: ConsoleRequest, access: OrgAccess) -> HttpResponse:
    """Set which roles need a second factor. The form is on the page of the roles."""
    try:
        changed = second_factor.change(
            access,
            request.POST.getlist("demanded"),
            signed_in_at=signed_in_at(request),
            source_address=source_address(request),
        )
    except second_factor.NotFresh:
        messages.warning(request, _("Sign in again to confirm that it is you, and then save once more."))
        return to_sign_in_again(request, back_to=reverse("policies", args=[access.org.slug]))
    if changed:
        messages.success(request, _("Saved. Members who need a second factor set it up at their next request."))
    return redirect("policies", access.org.slug)


@org_view(Permission.MANAGE_POLICIES)
@require_POST
def copy_role(request: ConsoleRequest, access: OrgAccess) -> HttpResponse:
    """Make a role out of another, then show it."""
    form = RoleNameForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Enter a name for the role."))
        return redirect("policies", access.org.slug)
    try:
        made = changes.copy(
            access, request.POST.get("of", ""), form.cleaned_data["name"], source_address=source_address(request)
        )
    except changes.NotPossible as problem:
        messages.error(request, str(problem.reason))
        return redirect("policies", access.org.slug)
    messages.success(request, format_lazy(_("Created the role {role}. No member has it yet."), role=made.name))
    return redirect("role", access.org.slug, made.key)


@org_view(Permission.MANAGE_POLICIES)
@require_POST
def rename_role(request: ConsoleRequest, access: OrgAccess, key: str) -> HttpResponse:
    _role_or_404(access, key)
    form = RoleNameForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Enter a name for the role."))
        return redirect("role", access.org.slug, key)
    try:
        changes.rename(access, key, form.cleaned_data["name"], source_address=source_address(request))
    except changes.NotPossible as problem:
        messages.error(request, str(problem.reason))
    else:
        messages.success(request, format_lazy(_("Renamed the role to {role}."), role=form.cleaned_data["name"]))
    return redirect("role", access.org.slug, key)


@org_view(Permission.MANAGE_POLICIES)
@require_POST
def delete_role(request: ConsoleRequest, access: OrgAccess, key: str) -> HttpResponse:
    shown = _role_or_404(access, key)
    try:
        changes.delete(access, key, source_address=source_address(request))
    except changes.NotPossible as problem:
        messages.error(request, str(problem.reason))
        return redirect("role", access.org.slug, key)
    messages.success(request, format_lazy(_("Deleted the role {role}."), role=shown.name))
    return redirect("policies", access.org.slug)


def _role_or_404(access: OrgAccess, key: str) -> RoleOnPage:
    found = role_of(access.org, key)
    if found is None:
        raise Http404("No such role.")
    return found


def _page(
    request: ConsoleRequest, shown: RoleOnPage, rights: Rights, *, status: int = 200, **more: Any
) -> HttpResponse:
    """Show the form, or with `previews` what the change does, filled in with these rights."""
    context = {
        "role": shown,
        "areas": [
            (
                area,
                [
                    (
                        key,
                        LABELS[key],
                        rights.may(key),
                        [(name, label, name in rights.demands(key)) for name, label in DEMAND_LABELS.items()],
                    )
                    for key in keys
                ],
            )
            for area, keys in AREAS
        ],
        "pages": [(str(key), label, key in rights.pages) for key, label in PAGE_RIGHTS.items()],
        "all_fields": rights.fields is None,
        "fields": [(name, label, rights.may_edit(name)) for name, label in FIELD_LABELS.items()],
        "seen": json.dumps(shown.rights.stored()),
        "naming": RoleNameForm(initial={"name": shown.name}),
    }
    return render(request, "console/policies/role.html", context | more, status=status)


def _json(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
