"""Plans that run: starting one for a user, its page, and the calendar of what is to come."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from console import visible_users
from console.access import ConsoleRequest, OrgAccess, Permission, org_view
from console.actions.demands import Demand
from console.audit.entries import Circumstances
from console.kept_forms import restore
from console.models import PlanRun
from console.plans import approval, runs
from console.plans.calendar import coming, lately_over
from console.plans.date_form import DateForm
from console.plans.offered import offered_for, plan_or_404
from console.plans.overview import Overview, buttons_for
from console.plans.preview import Reading, Verdict, preview
from console.plans.runs import NotPossibleNow, Start
from console.plans.start_form import LATER, StartPlanForm
from console.responses import ASK, circumstances_of, to_sign_in_again
from console.sessions.fresh import signed_in_at
from console.source_address import source_address
from pingone_integration.texts import Text

_TOLD: dict[str, Text] = {
    "cancel": _("Canceled. What had not begun stays undone."),
    "resume": _("The plan goes on."),
    "reschedule": _("The plan has a new time."),
}


@org_view(Permission.VIEW_USERS)
@require_safe
def user_plans(request: ConsoleRequest, access: OrgAccess, user_id: UUID) -> HttpResponse:
    """Show the plans that this operator can start for the user, and those that ran."""
    person = visible_users.get(access, access.pingone(), user_id)
    of_person = PlanRun.objects.filter(organization=access.org, person_id=person.id).order_by("-created_at")
    context = {
        "person": person,
        "plans": offered_for(access),
        "runs": [Overview(run) for run in of_person.select_related("starter")[:20]],
    }
    return render(request, "console/plans/of_user.html", context)


@org_view(Permission.VIEW_USERS)
@require_http_methods(["GET", "POST"])
def start_plan(request: ConsoleRequest, access: OrgAccess, user_id: UUID, slug: str) -> HttpResponse:
    """Show what the plan would do (GET); show it with the button that names the time (POST), and start it (POST)."""
    definition, version = plan_or_404(access, slug)
    reading = Reading(access.pingone(), visible_users.get(access, access.pingone(), user_id))
    kept = restore(request) if request.method == "GET" else None
    if kept:
        messages.warning(request, str(kept.notice))
    data = request.POST if request.method == "POST" else kept.typed if kept else None
    other = PlanRun.objects.filter(organization=access.org, person_id=user_id, state__in=PlanRun.OPEN).first()
    form = StartPlanForm(data, access=access, definition=definition, reading=reading, other=other)
    is_confirmed = False
    missing: Text = ""
    if request.method == "POST" and form.is_valid():
        is_confirmed = form.confirmed_as in {request.POST.get("confirm"), request.POST.get(ASK)}
        if is_confirmed:
            plan = Start(
                definition=definition,
                version=version,
                choices=form.choices,
                when=form.when_at,
                zone=form.cleaned_data["zone"],
                replaces=other.pk if other else None,
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
    lines = preview(access, definition, reading)
    is_ready = form.is_bound and not form.errors
    context = {
        "missing_approval": missing,
        "asks_approval": missing or (is_ready and approval.is_demanded(access, definition, form.choices)),
        "person": reading.user,
        "definition": definition,
        "lines": lines,
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
    form = DateForm(request.POST if request.POST.get("do") == "reschedule" else None, run=run)
    status = 200
    if request.method == "POST":
        try:
            done = _do(request, access, run, form)
        except NotPossibleNow as refusal:
            messages.error(request, str(refusal.reason))
            done = True
        if done:
            return redirect(reverse("plan-run", args=[access.org.slug, run.pk]))
        status = 422
    context: dict[str, Any] = {
        "overview": Overview(run),
        "buttons": list(buttons_for(access, run)),
        "form": form if run.state == PlanRun.State.SCHEDULED and runs.may_decide(access, run) else None,
    }
    return render(request, "console/plans/run.html", context, status=status)


def _do(request: ConsoleRequest, access: OrgAccess, run: PlanRun, form: DateForm) -> bool:
    """Do what the pressed button says. Return False if the form has to be shown again."""
    what = request.POST.get("do", "")
    if what == "cancel":
        runs.cancel(access, run)
    elif what == "resume":
        now = Circumstances(source_address=source_address(request), signed_in_at=signed_in_at(request))
        runs.resume(access, run, now)
    elif what == "reschedule":
        if not form.is_valid():
            return False
        runs.reschedule(access, run, form.when_at)
    else:
        raise PermissionDenied
    messages.success(request, str(_TOLD[what]))
    return True
