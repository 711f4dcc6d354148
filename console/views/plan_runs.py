"""Plans that run: starting one for a user, its page, and the calendar of what is to come."""

from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from console import visible_users
from console.access import ConsoleRequest, OrgAccess, Permission, org_view
from console.actions.demands import Demand
from console.audit.entries import Circumstances
from console.kept_forms import restore
from console.models import PlanRun, PlanVersion
from console.plans import approval, runs
from console.plans import bring_back as bring_backs
from console.plans.calendar import coming, lately_over
from console.plans.date_form import DateForm
from console.plans.definition import Definition
from console.plans.effects import Reading
from console.plans.ends import change_end, open_end
from console.plans.offered import FOR_A_USER, offered_for, plan_or_404
from console.plans.overview import Overview, buttons_for
from console.plans.preview import Verdict, as_chosen, preview
from console.plans.runs import NotPossibleNow, Start
from console.plans.settled import NO_SOURCE, Source
from console.plans.start_form import LATER, StartPlanForm
from console.responses import ASK, circumstances_of, to_sign_in_again
from console.sessions.fresh import signed_in_at
from console.source_address import source_address
from pingone_integration.texts import Text

_TOLD: dict[str, Text] = {
    "cancel": _("Canceled. What had not begun stays undone."),
    "resume": _("The plan goes on."),
    "reschedule": _("The plan has a new time."),
    "change-end": _("The plan has a new end."),
    "end-now": _("It ends now."),
}


@org_view(Permission.VIEW_USERS)
@require_safe
def user_plans(request: ConsoleRequest, access: OrgAccess, user_id: UUID) -> HttpResponse:
    """Show the plans that this operator can start for the user, and those that ran."""
    person = visible_users.get(access, access.pingone(), user_id)
    of_person = PlanRun.objects.filter(organization=access.org, person_id=person.id).order_by("-created_at")
    listed = list(of_person.select_related("starter").prefetch_related("steps")[:20])
    context = {
        "person": person,
        "plans": offered_for(access),
        "runs": [Overview(run) for run in listed],
        "to_bring_back": bring_backs.latest_offered(access, listed),
    }
    return render(request, "console/plans/of_user.html", context)


@org_view(Permission.VIEW_USERS)
@require_http_methods(["GET", "POST"])
def start_plan(request: ConsoleRequest, access: OrgAccess, user_id: UUID, slug: str) -> HttpResponse:
    """Show what the plan would do (GET); show it with the button that names the time (POST), and start it (POST)."""
    definition, version = plan_or_404(access, slug)
    if definition.kind not in FOR_A_USER:
        raise Http404("This plan begins elsewhere.")
    return _start(request, access, user_id, _Chosen(definition=definition, version=version))


@org_view(Permission.VIEW_USERS)
@require_http_methods(["GET", "POST"])
def bring_back(request: ConsoleRequest, access: OrgAccess, run_id: UUID) -> HttpResponse:
    """Do the same for what a run took away: show it (GET, POST), and bring it back (POST)."""
    run = runs.run_or_404(access, run_id)
    if run.person_id is None or not bring_backs.can_be(run):
        raise Http404("There is nothing to bring back.")
    chosen = _Chosen(
        definition=bring_backs.plan(),
        brings_back=run,
        source=bring_backs.source_of(run),
        notes=tuple(bring_backs.notes_on(run)),
    )
    return _start(request, access, run.person_id, chosen)


@dataclass(frozen=True, kw_only=True)
class _Chosen:
    """The plan that somebody is about to start."""

    definition: Definition
    version: PlanVersion | None = None
    brings_back: PlanRun | None = None
    source: Source = NO_SOURCE
    notes: tuple[Text, ...] = ()


def _start(request: ConsoleRequest, access: OrgAccess, user_id: UUID, chosen: _Chosen) -> HttpResponse:
    definition = chosen.definition
    reading = Reading(access.pingone(), visible_users.get(access, access.pingone(), user_id))
    kept = restore(request) if request.method == "GET" else None
    if kept:
        messages.warning(request, str(kept.notice))
    data = request.POST if request.method == "POST" else kept.typed if kept else None
    other = PlanRun.objects.filter(organization=access.org, person_id=user_id, state__in=PlanRun.OPEN).first()
    form = StartPlanForm(data, access=access, definition=definition, reading=reading, other=other, source=chosen.source)
    is_confirmed = False
    missing: Text = ""
    if request.method == "POST" and form.is_valid():
        is_confirmed = form.confirmed_as in {request.POST.get("confirm"), request.POST.get(ASK)}
        if is_confirmed:
            plan = Start(
                definition=definition,
                version=chosen.version,
                choices=form.choices,
                when=form.when_at,
                zone=form.own_zone,
                replaces=other.pk if other else None,
                brings_back=chosen.brings_back,
            )
            try:
                run = runs.start(access, reading.user, plan, _circumstances_of(request, form))
            except NotPossibleNow as refusal:
                if refusal.asked:
                    messages.success(request, str(refusal.reason))
                    return redirect("approval", access.org.slug, refusal.asked)
                if Demand.FRESH_SIGN_IN in refusal.demanded:
                    return to_sign_in_again(request, back_to=request.path, keeps=form.fields)
                if refusal.demanded == {Demand.APPROVAL}:
                    missing = refusal.reason
                else:
                    form.add_error("reason" if refusal.demanded else None, str(refusal.reason))
            else:
                return redirect("plan-run", access.org.slug, run.pk)
    choices = form.choices if form.is_bound and form.is_valid() else form.source.choices(definition)
    is_ready = form.is_bound and not form.errors
    lines = preview(access, definition, reading, choices, form.source)
    if is_ready:
        lines = as_chosen(lines)
    context = {
        "missing_approval": missing,
        "asks_approval": missing or (is_ready and approval.is_demanded(access, definition, form.choices)),
        "person": reading.user,
        "definition": definition,
        "lines": lines,
        "notes": chosen.notes,
        "is_refused": any(line.verdict is Verdict.REFUSED for line in lines) or access.viewing_as,
        "form": form,
        "is_ready": is_ready,
        "is_late": form.is_bound and form.data.get("when") == LATER and "at" in form.errors,
    }
    status = 422 if missing or (form.is_bound and form.errors) else 200
    return render(request, "console/plans/start.html", context, status=status)


def _circumstances_of(request: ConsoleRequest, form: StartPlanForm) -> Circumstances:
    """Return the circumstances. A request for approval also keeps what the confirming button says."""
    found = circumstances_of(request, form)
    return replace(found, typed={**found.typed, "confirm": [form.confirmed_as]})


@org_view(Permission.VIEW_USERS)
@require_safe
def plan_runs(request: ConsoleRequest, access: OrgAccess) -> HttpResponse:
    """Show the calendar: what asks, what runs, what is to come by day, and what ended lately."""
    context = {"days": coming(access), "over": lately_over(access)}
    return render(request, "console/plans/calendar.html", context)


@org_view(Permission.VIEW_USERS)
@require_http_methods(["GET", "POST"])
def plan_run(request: ConsoleRequest, access: OrgAccess, run_id: UUID) -> HttpResponse:
    """Show a run with its steps (GET), or do something with it (POST)."""
    run = runs.run_or_404(access, run_id)
    start_form, end_form = _start_form(request, run), _end_form(request, run)
    status = 200
    if request.method == "POST":
        try:
            done = _do(request, access, run, start_form, end_form)
        except NotPossibleNow as refusal:
            messages.error(request, str(refusal.reason))
            done = True
        if done:
            return redirect(reverse("plan-run", args=[access.org.slug, run.pk]))
        status = 422
    context: dict[str, Any] = {
        "overview": Overview(run),
        "audit_url": reverse("audit", args=[access.org.slug], query={"run": str(run.pk)})
        if access.allows(Permission.VIEW_AUDIT)
        else "",
        "buttons": list(buttons_for(access, run)),
        "can_be_brought_back": bring_backs.is_offered(access, run),
    }
    if runs.may_decide(access, run) and access.viewing_as is None:
        context |= {"start_form": start_form, "end_form": end_form}
    return render(request, "console/plans/run.html", context, status=status)


def _start_form(request: ConsoleRequest, run: PlanRun) -> DateForm | None:
    """Return the form that gives a run which has not begun another time."""
    if run.state != PlanRun.State.SCHEDULED:
        return None
    data = request.POST if request.POST.get("do") == "reschedule" else None
    return DateForm(data, local=run.starts_local, zone=run.zone)


def _end_form(request: ConsoleRequest, run: PlanRun) -> DateForm | None:
    """Return the form that gives what runs for a time another end."""
    number = open_end(run)
    end = Overview(run).end_of(number) if number else None
    if end is None:
        return None
    data = request.POST if request.POST.get("do") == "change-end" else None
    return DateForm(data, local=end.local, zone=end.zone)


def _do(
    request: ConsoleRequest, access: OrgAccess, run: PlanRun, start_form: DateForm | None, end_form: DateForm | None
) -> bool:
    """Do what the pressed button says. Return False if a form has to be shown again."""
    what = request.POST.get("do", "")
    if what == "cancel":
        runs.cancel(access, run)
    elif what == "resume":
        now = Circumstances(source_address=source_address(request), signed_in_at=signed_in_at(request))
        runs.resume(access, run, now)
    elif what == "reschedule" and start_form:
        if not start_form.is_valid():
            return False
        runs.reschedule(access, run, start_form.when_at)
    elif what == "change-end" and end_form:
        if not end_form.is_valid():
            return False
        change_end(access, run, end_form.when_at)
    elif what == "end-now":
        change_end(access, run, None)
    else:
        raise PermissionDenied
    messages.success(request, str(_TOLD[what]))
    return True
