"""Settings > Policies > Templates: named lists of groups and profile fields, which plans give to users."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from console.access import ConsoleRequest, OrgAccess, Permission, org_view
from console.failures.failure import report
from console.fragments import wants_fragment
from console.kept_forms import restore
from console.models import UserTemplate
from console.protection.joining import joining, known_to_protect
from console.source_address import source_address
from console.user_templates import changes
from console.user_templates.changes import Content, NotPossible
from console.user_templates.form import UserTemplateForm, as_data
from console.user_templates.groups import lines_of, names_of
from console.user_templates.in_words import Card
from console.users.group_forms import GroupChoiceForm
from console.users.remembered import known_attributes, known_populations
from pingone_integration.errors import PingOneError
from pingone_integration.texts import Text
from pingone_integration.values import identifier

_PAGE = "console/user_templates/edit.html"
_GROUP = _("This is not a group.")


@org_view(Permission.MANAGE_POLICIES)
@require_safe
def templates(request: ConsoleRequest, access: OrgAccess) -> HttpResponse:
    """List the templates. No call to PingOne: the names are as they were saved."""
    access.require_org_admin()
    saved = list(UserTemplate.objects.filter(organization=access.org))
    protected = known_to_protect(access.org, {UUID(group["id"]) for one in saved for group in one.groups})
    context = {"templates": [Card(one, protected) for one in saved]}
    return render(request, "console/user_templates/list.html", context)


@org_view(Permission.MANAGE_POLICIES)
@require_http_methods(["GET", "POST"])
def new_template(request: ConsoleRequest, access: OrgAccess) -> HttpResponse:
    """Show an empty form, or that of a copy (GET `of`), search groups (GET `q`, or POST `look`), or create (POST)."""
    access.require_org_admin()
    copied = _template_or_404(access, identifier(request.GET["of"])) if "of" in request.GET else None
    name = str(format_lazy(_("Copy of {template}"), template=copied.name))[:80] if copied else ""
    return _edit(request, access, None, {**as_data(copied), "name": name, "seen": ""} if copied else None)


@org_view(Permission.MANAGE_POLICIES)
@require_http_methods(["GET", "POST"])
def template(request: ConsoleRequest, access: OrgAccess, template_id: UUID) -> HttpResponse:
    """Show a template (GET), search groups (GET `q`, or POST `look`), or save it (POST)."""
    access.require_org_admin()
    saved = _template_or_404(access, template_id)
    return _edit(request, access, saved, as_data(saved))


@org_view(Permission.MANAGE_POLICIES)
@require_POST
def delete_template(request: ConsoleRequest, access: OrgAccess, template_id: UUID) -> HttpResponse:
    saved = _template_or_404(access, template_id)
    try:
        changes.delete(access, saved, source_address=source_address(request))
    except NotPossible as problem:
        messages.error(request, str(problem.reason))
    else:
        messages.success(request, format_lazy(_("Deleted the template {template}."), template=saved.name))
    return redirect("templates", access.org.slug)


def _template_or_404(access: OrgAccess, template_id: UUID | None) -> UserTemplate:
    found = template_id and UserTemplate.objects.filter(organization=access.org, pk=template_id).first()
    if not found:
        raise Http404("No such template.")
    return found


def _edit(request: ConsoleRequest, access: OrgAccess, saved: UserTemplate | None, shown: Any) -> HttpResponse:
    is_sent, is_search = request.method == "POST", "q" in request.GET
    if not is_sent and not is_search and (kept := restore(request)):
        messages.warning(request, str(kept.notice))
        shown = kept.typed
    form = UserTemplateForm(
        request.POST if is_sent else request.GET if is_search else shown,
        access=access,
        attributes=known_attributes(access),
        populations=known_populations(access),
        saved=saved,
    )
    saves = is_sent and "look" not in request.POST
    if not saves:
        form.fields["name"].required = False  # it may be entered after the search
    warned: list[Text] = []
    if saves and form.is_valid():
        try:
            content = _content(access, form)
            warned = _giving(access, content) if content and not form.cleaned_data["confirmed"] else []
        except PingOneError as error:
            content = None
            form.add_error(None, str(error.title))
        if content and not warned and (answer := _saved(request, access, form, content)):
            return answer
    return _show(request, access, form, warned=warned, status=422 if saves and form.errors else 200)


def _content(access: OrgAccess, form: UserTemplateForm) -> Content | None:
    """Return what the form says, with the names of groups as PingOne has them now. None: the form has an error.

    Raises PingOneErrors.
    """
    last_known = {UUID(one["id"]): one["name"] for one in form.saved.groups} if form.saved else {}
    names = names_of(access.pingone(), form.cleaned_data["group_ids"])
    if any(name is None and one not in last_known for one, name in names.items()):
        form.add_error("group_ids", str(_GROUP))
        return None
    population = form.cleaned_data["population_id"]
    return Content(
        name=form.cleaned_data["name"],
        groups=[{"id": str(one), "name": name or last_known[one]} for one, name in names.items()],
        fields=form.typed(),
        population_id=UUID(population) if population else None,
        population_name=form.population_names[population] if population else "",
    )


def _giving(access: OrgAccess, content: Content) -> list[Text]:
    """Return why some of the groups are protected: it is said before they become part of a template.

    Raises PingOneErrors.
    """
    names = {UUID(one["id"]): one["name"] for one in content.groups}
    found = joining(access.org, access.pingone(), names).protected
    return [format_lazy("{}: {}", names[one], why.sentence) for one, why in found.items()]


def _saved(request: ConsoleRequest, access: OrgAccess, form: UserTemplateForm, content: Content) -> HttpResponse | None:
    """Save the template. None: it was not possible, and the form says why."""
    address = source_address(request)
    try:
        if form.saved is None:
            changes.create(access, content, source_address=address)
        else:
            changes.change(access, form.saved, content, seen=form.cleaned_data["seen"], source_address=address)
    except NotPossible as problem:
        form.add_error(None, str(problem.reason))
        return None
    messages.success(request, format_lazy(_("Saved the template {template}."), template=content.name))
    return redirect("templates", access.org.slug)


def _show(
    request: ConsoleRequest, access: OrgAccess, form: UserTemplateForm, *, warned: list[Text], status: int
) -> HttpResponse:
    search = GroupChoiceForm(request.POST if request.method == "POST" else request.GET)
    search.is_valid()
    sought = search.cleaned_data.get("q", "")
    chosen = form.chosen_groups
    context: dict[str, Any] = {
        "form": form,
        "saved": form.saved,
        "warned": warned,
        "q": sought,
        "here": reverse("template", args=[access.org.slug, form.saved.pk])
        if form.saved
        else reverse("new-template", args=[access.org.slug]),
    }
    try:
        context["groups"], context["more"] = lines_of(access, chosen, sought, form.saved)
    except PingOneError as error:
        context["failure"] = report(request, error)
    is_search = wants_fragment(request) and "q" in request.GET
    return render(request, f"{_PAGE}#group-choices" if is_search else _PAGE, context, status=status)
