"""Settings > Policies > Account recovery: where it is on, under which rules, and what its pages tell users."""

import json
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from console.access import ConsoleRequest, OrgAccess, Permission, org_view
from console.kept_forms import restore
from console.policies import recovery
from console.policies.recovery import Line, NotPossible
from console.policies.recovery_forms import RulesForm, SettingsForm, form_values, values_of
from console.recovery import previews
from console.source_address import source_address
from console.user_mails.languages import LANGUAGES
from console.users.remembered import known_attributes


@org_view(Permission.MANAGE_POLICIES)
@require_http_methods(["GET", "POST"])
def recovery_settings(request: ConsoleRequest, access: OrgAccess) -> HttpResponse:
    """Show each population, and the settings of the whole organization (GET), or save the latter (POST)."""
    is_sent = request.method == "POST"
    data = request.POST if is_sent else _kept(request)
    form = SettingsForm(data, initial=recovery.settings_values(access.org))
    if is_sent and form.is_valid():
        try:
            changed = recovery.change_settings(access, form.cleaned_data, source_address=source_address(request))
        except NotPossible as problem:
            messages.error(request, str(problem.reason))
        else:
            messages.success(request, _("Settings saved.") if changed else _("Nothing was changed."))
        return redirect("recovery-settings", access.org.slug)
    lines = recovery.lines(access.org)
    context = {
        "form": form,
        "lines": lines,
        "is_on": any(line.policy.is_on for line in lines),
        "their_page": settings.PUBLIC_URL + reverse("recover", args=[access.org.slug]),
    }
    return render(request, "console/policies/recovery.html", context, status=422 if is_sent else 200)


@org_view(Permission.MANAGE_POLICIES)
@require_http_methods(["GET", "POST"])
def recovery_rules(request: ConsoleRequest, access: OrgAccess, population_id: UUID) -> HttpResponse:
    """Show a population's rules (GET), show what a change does (POST), or save it (POST `save`)."""
    line = _line_or_404(access, population_id)
    data = request.POST if request.method == "POST" else _kept(request)
    form = RulesForm(data, policy=line.policy, attributes=known_attributes(access))
    if request.method != "POST" or "edit" in request.POST:
        return _page(request, line, form)
    if not form.is_valid():
        return _page(request, line, form, status=422)
    effects = recovery.effects(line, form.cleaned_data)
    if "save" not in request.POST or not effects:
        return _page(request, line, form, effects=effects, previews=True)
    try:
        seen = _json(request.POST.get("seen", ""))
        recovery.change(access, line, form.cleaned_data, seen=seen, source_address=source_address(request))
    except NotPossible as problem:
        messages.error(request, str(problem.reason))
        return _page(request, line, form, effects=effects, previews=True, status=409)
    messages.success(request, format_lazy(_("Saved the rules for {population}."), population=line.population.name))
    return redirect("recovery-settings", access.org.slug)


@org_view(Permission.MANAGE_POLICIES)
@require_POST
def count_addresses(request: ConsoleRequest, access: OrgAccess, population_id: UUID) -> HttpResponse:
    """Let the worker count, because PingOne has no filter for it."""
    try:
        recovery.ask_for_count(access, _line_or_404(access, population_id))
    except NotPossible as problem:
        messages.error(request, str(problem.reason))
    else:
        messages.success(request, _("The worker counts them now. Reload the page in a moment."))
    return redirect("recovery-rules", access.org.slug, population_id)


@org_view(Permission.MANAGE_POLICIES)
@require_safe
def recovery_previews(request: ConsoleRequest, access: OrgAccess) -> HttpResponse:
    """Show every mail of recovery, and the way to every page, in the language of `language`."""
    language = _language(request)
    written = [(mail.label, *previews.text_of(mail, access.org, language)) for mail in previews.MAILS]
    written += previews.event_mails(access.org, language)
    pages = [*previews.PAGES, *previews.NOT_ME_PAGES]
    context = {"pages": pages, "mails": written, "chosen": language, "languages": LANGUAGES}
    return render(request, "console/recoveries/previews.html", context)


@org_view(Permission.MANAGE_POLICIES)
@require_safe
def recovery_preview(request: ConsoleRequest, access: OrgAccess, key: str) -> HttpResponse:
    """Show a page of recovery as users see it. Nothing on it can be pressed."""
    language = _language(request)
    strip = {
        "told": str(_("This is a preview.")),
        "way_back": str(_("Back to all pages and mails")),
        "back": f"{reverse('recovery-previews', args=[access.org.slug])}?language={language}",
    }
    with translation.override(language):
        if not_me := previews.NOT_ME_BY_KEY.get(key):
            context = previews.context_of_not_me(not_me, access.org) | {"preview": strip}
            return render(request, "console/user_mails/not_me.html", context)
        if page := previews.PAGES_BY_KEY.get(key):
            context = previews.context_of(page, access.org) | {"preview": strip}
            return render(request, f"console/recovery/{page.template}.html", context)
    raise Http404("No such page.")


def _language(request: ConsoleRequest) -> str:
    language = request.GET.get("language", "")
    return language if language in LANGUAGES else LANGUAGES[0]


def _kept(request: ConsoleRequest) -> QueryDict | None:
    """Return what the operator had typed before they signed in again, if anything."""
    kept = restore(request)
    if kept:
        messages.warning(request, str(kept.notice))
    return kept.typed if kept else None


def _line_or_404(access: OrgAccess, population_id: UUID) -> Line:
    found = recovery.line_of(access.org, population_id)
    if found is None:
        raise Http404("No such population.")
    return found


def _page(request: ConsoleRequest, line: Line, form: RulesForm, *, status: int = 200, **more: Any) -> HttpResponse:
    seen = json.dumps(form_values(values_of(line.policy)))
    context = {"line": line, "form": form, "seen": seen}
    return render(request, "console/policies/recovery_rules.html", context | more, status=status)


def _json(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
