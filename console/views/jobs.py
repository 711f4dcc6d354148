"""Jobs: the list, a job's page with its rows, and what an operator does with it."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import HTMX_STOP_POLLING, HttpResponseClientRefresh

from console.access import ConsoleRequest, OrgAccess, Permission, org_view
from console.actions.demands import Demand
from console.audit.entries import Circumstances
from console.fragments import wants_fragment
from console.jobs import approval, control
from console.jobs.buttons import buttons_for
from console.jobs.choices import choose
from console.jobs.control import NotPossibleNow, job_or_404
from console.jobs.job_list import lines_of as jobs_of
from console.jobs.limits import TooManyRows
from console.jobs.overview import Overview
from console.jobs.plan_action import action_of
from console.jobs.plan_rows import cancel_runs
from console.jobs.shown_rows import Shown, lines_of
from console.jobs.start_form import StartJobForm
from console.jobs.undo import undo_job
from console.kept_forms import restore
from console.models import Job
from console.page.job_news import news_of, watch
from console.responses import circumstances_of, to_sign_in_again
from console.sessions.fresh import signed_in_at
from console.source_address import source_address
from pingone_integration.texts import Text, english

_WATCHED = frozenset({"start", "resume", "retry", "let-pass", "undo"})
_TOLD: dict[str, Text] = {
    "start": _("The job has started. You can leave this page: an email tells you when it ends."),
    "pause": _("Paused. Rows that were not reached are untouched."),
    "resume": _("The job goes on."),
    "cancel": _("Canceled. Rows that were not reached are untouched."),
    "retry": _("The rows that failed run again."),
    "let-pass": _("You let the job go on."),
    "choose": _("Saved."),
    "cancel-runs": _("Canceled the plans that had not begun."),
    "undo": _("This is the preview of the undo. Nothing is changed before you start it."),
}


@org_view(Permission.RUN_JOBS)
@require_safe
def job_list(request: ConsoleRequest, access: OrgAccess) -> HttpResponse:
    """Show the jobs of the last days, the latest first."""
    lines, pager = jobs_of(access, request.GET.get("page", ""))
    context = {"lines": lines, "pager": pager, "kept_days": settings.JOBS_KEPT_DAYS}
    return render(request, "console/jobs/list.html", context)


@org_view(Permission.RUN_JOBS)
@require_safe
def job_news(request: ConsoleRequest, access: OrgAccess) -> HttpResponse:
    """Say what became of this browser's jobs, on whatever page: a page asks as long as one of them is under way."""
    news = news_of(request, access)
    status = 200 if news.awaits_more else HTMX_STOP_POLLING
    return render(request, "console/page/job_news.html#news", {"job_news": news}, status=status)


@org_view(Permission.RUN_JOBS)
@require_http_methods(["GET", "POST"])
def job(request: ConsoleRequest, access: OrgAccess, job_id: UUID) -> HttpResponse:
    """Show the job with a page of its rows (GET), for htmx its progress alone; or do something with it (POST)."""
    found = job_or_404(access, job_id)
    if request.method == "POST":
        return _do(request, access, found)
    if wants_fragment(request):
        if request.GET.get("was") != found.state:
            return HttpResponseClientRefresh()
        return render(request, "console/jobs/job.html#progress", _progress_of(access, found))
    kept = restore(request)
    if kept:
        messages.warning(request, str(kept.notice))
    return _show(request, access, found, _start_form(access, found, kept.typed if kept else None))


def _do(request: ConsoleRequest, access: OrgAccess, found: Job) -> HttpResponse:
    """Do what the pressed button says, and show the job as it is then."""
    what, form = request.POST.get("do", ""), None
    if what == "start":
        form = _start_form(access, found, request.POST)
        if form is None or not form.is_valid():
            return _show(request, access, found, form, status=422)
    to = found
    try:
        if what == "undo":
            to = undo_job(access, found)
        elif what in _DOINGS:
            _DOINGS[what](request, access, found, form)
    except NotPossibleNow as refusal:
        if refusal.asked:
            messages.success(request, str(refusal.reason))
            return redirect("approval", access.org.slug, refusal.asked)
        if form and refusal.demanded == {Demand.APPROVAL}:
            return _show(request, access, found, form, status=422, missing_approval=refusal.reason)
        if Demand.FRESH_SIGN_IN in refusal.demanded:
            here = reverse("job", args=[access.org.slug, found.pk])
            return to_sign_in_again(request, back_to=here, keeps=form.fields if form else ())
        if form and refusal.demanded == {Demand.REASON}:
            form.add_error("reason", str(refusal.reason))
            return _show(request, access, found, form, status=422)
        messages.error(request, str(refusal.reason))
    except TooManyRows as refusal:
        messages.error(request, str(refusal.reason))
    else:
        _tell(request, to, what)
    query = Shown.in_url(request.GET).query() if what == "choose" else ""
    return redirect(reverse("job", args=[access.org.slug, to.pk]) + (f"?{query}#rows" if query else ""))


def _tell(request: ConsoleRequest, found: Job, what: str) -> None:
    """Say what the pressed button did, and let this browser hear how the job goes on."""
    if what in _TOLD:
        messages.success(request, str(_TOLD[what]))
    if what in _WATCHED:
        watch(request.session, found, english(action_of(found).name))


def _start(request: ConsoleRequest, access: OrgAccess, found: Job, form: StartJobForm) -> None:
    cleaned = form.cleaned_data
    circumstances = circumstances_of(request, form)
    circumstances = replace(circumstances, typed={**circumstances.typed, "do": ["start"]})
    control.start(access, found, circumstances, first=cleaned["first_rows"], people=cleaned.get("people"))


def _choose(request: ConsoleRequest, access: OrgAccess, found: Job, form: None) -> None:
    numbers = [int(one) for one in request.POST.getlist("shown") if one.isascii() and one.isdigit() and len(one) < 10]
    choose(
        access,
        found,
        numbers,
        left_out=[number for number in numbers if str(number) in request.POST.getlist("leave-out")],
        decisions={number: request.POST.get(f"decision-{number}", "") for number in numbers},
    )


def _ask_approval(request: ConsoleRequest, access: OrgAccess, found: Job, form: None) -> None:
    """Ask for the approval of the rest of a job, which then goes on where it paused."""
    here = Circumstances(source_address=source_address(request), path=request.path, typed={"do": ["resume"]})
    control.ask_approval(access, found, here)


def _let_pass(request: ConsoleRequest, access: OrgAccess, found: Job, form: None) -> None:
    now = Circumstances(source_address=source_address(request), signed_in_at=signed_in_at(request))
    control.let_pass(access, found, now)


def _simply(
    do: Callable[[OrgAccess, Job], object], request: HttpRequest, access: OrgAccess, found: Job, form: None
) -> None:
    do(access, found)


_DOINGS: dict[str, Callable[..., None]] = {
    "start": _start,
    "choose": _choose,
    "let-pass": _let_pass,
    "ask-approval": _ask_approval,
    "pause": partial(_simply, control.pause),
    "resume": partial(_simply, control.resume),
    "cancel": partial(_simply, control.cancel),
    "retry": partial(_simply, control.retry_failed),
    "cancel-runs": partial(_simply, cancel_runs),
}


def _start_form(access: OrgAccess, found: Job, data: Any) -> StartJobForm | None:
    """Return the form that starts the job, if this operator can do that now."""
    may = found.starter_id == access.operator.pk and access.viewing_as is None
    if found.state != Job.State.PREVIEWED or not may:
        return None
    overview = Overview(job=found)
    return StartJobForm(
        data, access=access, action=overview.action, counted=overview.total if found.is_possibly_cut else None
    )


def _show(
    request: ConsoleRequest,
    access: OrgAccess,
    found: Job,
    form: StartJobForm | None,
    *,
    status: int = 200,
    missing_approval: Text = "",
) -> HttpResponse:
    shown = Shown.in_url(request.GET)
    lines, pager = lines_of(found, shown)
    asked = approval.open_request(found) if form else None
    context = _progress_of(access, found)
    overview: Overview = context["overview"]
    context |= {
        "shown": shown,
        "tabs": list(overview.tabs(shown)),
        "outcome_tabs": list(overview.outcome_tabs(shown)),
        "lines": lines,
        "pager": pager,
        "start_form": form,
        "costs": list(overview.costs(access)) if form else [],
        "may_choose": form and not asked,
        "asked": asked,
        "missing_approval": missing_approval,
        "asks_approval": missing_approval or (form and approval.is_demanded(access, found)),
    }
    if form and form.is_bound:
        form.renew()
    return render(request, "console/jobs/job.html", context, status=status)


def _progress_of(access: OrgAccess, found: Job) -> dict[str, Any]:
    overview = Overview(job=found)
    return {"overview": overview, "buttons": list(buttons_for(access, overview))}
