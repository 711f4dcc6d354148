"""Settings > Policies > Rules: who comes into a population gets groups."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from console.access import ConsoleRequest, OrgAccess, Permission, org_view
from console.actions.demands import Demand
from console.audit.entries import Circumstances
from console.crawls.populations import is_on
from console.models import Rule, Work
from console.page.pager import Pager
from console.responses import circumstances_of, to_sign_in_again
from console.rules import control
from console.rules.control import NotPossibleNow, rule_or_404
from console.rules.form import RuleForm
from console.rules.preview import preview
from console.rules.switch_form import SwitchOnForm
from console.rules.words import EFFECT_STATES, STATES, STOPS
from console.sessions.fresh import signed_in_at
from console.source_address import source_address
from pingone_integration import population_sync
from pingone_integration.texts import Text

PAGE_SIZE = 25


@org_view(Permission.MANAGE_POLICIES)
@require_safe
def rules(request: ConsoleRequest, access: OrgAccess) -> HttpResponse:
    """Show the rules of the organization."""
    access.require_org_admin()
    names = _population_names(access)
    found = Rule.objects.filter(organization=access.org).select_related("author")
    lines = [(rule, names.get(rule.population_id, rule.population_id), STATES[rule.state]) for rule in found]
    return render(request, "console/rules/list.html", {"lines": lines, "crawls_on": is_on(access.org)})


@org_view(Permission.MANAGE_POLICIES)
@require_http_methods(["GET", "POST"])
def new_rule(request: ConsoleRequest, access: OrgAccess) -> HttpResponse:
    """Show the form of a new rule, with the groups that were searched for; or store the rule (POST)."""
    access.require_org_admin()
    return _form(request, access, None)


@org_view(Permission.MANAGE_POLICIES)
@require_http_methods(["GET", "POST"])
def edit_rule(request: ConsoleRequest, access: OrgAccess, rule_id: UUID) -> HttpResponse:
    """Show the form of a rule; or change the rule (POST), which is off then."""
    access.require_org_admin()
    return _form(request, access, rule_or_404(access, rule_id))


def _form(request: ConsoleRequest, access: OrgAccess, rule: Rule | None) -> HttpResponse:
    form = RuleForm(request.POST if request.method == "POST" else None, access=access, rule=rule)
    saves = request.method == "POST" and "find" not in request.POST
    if saves and form.is_valid():
        written = control.write(access, form.values(), rule, source_address=source_address(request))
        messages.success(request, _("Saved. Look at the preview, then switch the rule on."))
        return redirect("rule", access.org.slug, written.pk)
    if not saves and form.is_bound:  # a search: what was typed stays, without a word about what is missing
        form.errors.clear()
    context = {"form": form, "rule": rule, "crawls_on": is_on(access.org)}
    return render(request, "console/rules/edit.html", context, status=422 if saves else 200)


@org_view(Permission.MANAGE_POLICIES)
@require_http_methods(["GET", "POST"])
def rule(request: ConsoleRequest, access: OrgAccess, rule_id: UUID) -> HttpResponse:
    """Show a rule with its preview and what it did (GET), or do what the pressed button says (POST)."""
    access.require_org_admin()
    found = rule_or_404(access, rule_id)
    if request.method == "POST":
        what = request.POST.get("do", "")
        if what == "switch-on":
            return _switch_on(request, access, found)
        return _do(request, access, found, what)
    return _show(request, access, found, SwitchOnForm(access=access))


def _switch_on(request: ConsoleRequest, access: OrgAccess, found: Rule) -> HttpResponse:
    form = SwitchOnForm(request.POST, access=access)
    if form.is_valid():
        everybody = form.cleaned_data["scope"] == SwitchOnForm.EVERYBODY
        now = circumstances_of(request, form)
        try:
            control.switch_on(access, found, preview(found), request.POST.get("seen", ""), now, everybody=everybody)
        except NotPossibleNow as refusal:
            if Demand.FRESH_SIGN_IN in refusal.demanded:
                return to_sign_in_again(request, back_to=request.path, keeps=form.fields)
            form.add_error("reason" if refusal.demanded else None, str(refusal.reason))
        else:
            messages.success(request, _("The rule is on."))
            return redirect("rule", access.org.slug, found.pk)
    return _show(request, access, found, form, status=422)


def _do(request: ConsoleRequest, access: OrgAccess, found: Rule, what: str) -> HttpResponse:
    if (do := _DO.get(what)) is None:
        raise PermissionDenied
    try:
        messages.success(request, str(do(request, access, found)))
    except NotPossibleNow as refusal:
        messages.error(request, str(refusal.reason))
    if what == "delete":
        return redirect("rules", access.org.slug)
    return redirect("rule", access.org.slug, found.pk)


def _now(request: ConsoleRequest, found: Rule) -> Circumstances:
    return Circumstances(
        source_address=source_address(request),
        signed_in_at=signed_in_at(request),
        ticket=found.ticket,
        reason=found.reason,
    )


def _off(request: ConsoleRequest, access: OrgAccess, found: Rule) -> Text:
    control.switch_off(access, found, source_address=source_address(request))
    return _("The rule is off. What it has given stays.")


def _delete(request: ConsoleRequest, access: OrgAccess, found: Rule) -> Text:
    control.delete(access, found, source_address=source_address(request))
    return _("The rule is deleted. What it has given stays.")


def _resume(request: ConsoleRequest, access: OrgAccess, found: Rule) -> Text:
    control.resume(access, found, _now(request, found))
    return _("The rule goes on, with your rights.")


def _let_pass(request: ConsoleRequest, access: OrgAccess, found: Rule) -> Text:
    control.let_pass(access, found, _now(request, found))
    return _("You let the rule go on.")


def _retry(request: ConsoleRequest, access: OrgAccess, found: Rule) -> Text:
    return format_lazy(_("Tried again for users: {count}."), count=control.retry(access, found))


_DO: dict[str, Callable[[ConsoleRequest, OrgAccess, Rule], Text]] = {
    "switch-off": _off,
    "delete": _delete,
    "resume": _resume,
    "let-pass": _let_pass,
    "retry": _retry,
}


def _show(
    request: ConsoleRequest, access: OrgAccess, found: Rule, form: SwitchOnForm, *, status: int = 200
) -> HttpResponse:
    page = request.GET.get("page", "")
    number = max(1, int(page)) if page.isascii() and page.isdigit() and len(page) < 6 else 1
    start = (number - 1) * PAGE_SIZE
    effects = list(found.effects.order_by("-created_at", "pk")[start : start + PAGE_SIZE + 1])
    counts = dict(found.effects.order_by().values_list("state").annotate(count=Count("pk")))
    context: dict[str, Any] = {
        "rule": found,
        "population": _population_names(access).get(found.population_id, found.population_id),
        "state": STATES[found.state],
        "stop": STOPS.get(found.stop, ""),
        "is_braked": found.stop == Rule.Stop.BRAKE,
        "crawls_on": is_on(access.org),
        "preview": preview(found) if found.state == Rule.State.OFF else None,
        "form": form,
        "effects": [(one, EFFECT_STATES[one.state]) for one in effects[:PAGE_SIZE]],
        "counts": [(EFFECT_STATES[state], count) for state, count in sorted(counts.items())],
        "failed": counts.get(Work.State.FAILED, 0),
        "pager": Pager(
            previous=f"?page={number - 1}" if number > 1 else "",
            next=f"?page={number + 1}" if len(effects) > PAGE_SIZE else "",
        ),
    }
    return render(request, "console/rules/rule.html", context, status=status)


def _population_names(access: OrgAccess) -> dict[UUID, str]:
    return dict(population_sync.synced(access.org.connection).values_list("population_id", "name"))
