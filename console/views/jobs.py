"""Jobs: the list, a job's page with its rows, and what an operator does with it."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import HttpResponseClientRefresh

from console.access import ConsoleRequest, OrgAccess, Permission, org_view
from console.fragments import wants_fragment
from console.jobs.job_list import lines_of as jobs_of
from console.jobs.overview import Overview, job_or_404
from console.jobs.shown_rows import Shown, lines_of
from console.models.jobs import KEPT_FOR


@org_view(Permission.RUN_JOBS)
@require_safe
def job_list(request: ConsoleRequest, access: OrgAccess) -> HttpResponse:
    """Show the jobs of the last days, the latest first."""
    lines, pager = jobs_of(access, request.GET.get("page", ""))
    return render(request, "console/jobs/list.html", {"lines": lines, "pager": pager, "kept_days": KEPT_FOR.days})


@org_view(Permission.RUN_JOBS)
@require_http_methods(["GET", "POST"])
def job(request: ConsoleRequest, access: OrgAccess, job_id: UUID) -> HttpResponse:
    """Show the job with a page of its rows (GET), for htmx its progress alone; or do something with it (POST)."""
    found = job_or_404(access, job_id)
    overview = Overview(job=found)
    if wants_fragment(request):
        if request.GET.get("was", found.state) != found.state:
            return HttpResponseClientRefresh()
        return render(request, "console/jobs/job.html#progress", {"overview": overview})
    shown = Shown.in_url(request.GET)
    lines, pager = lines_of(found, shown)
    context = {
        "overview": overview,
        "shown": shown,
        "tabs": list(overview.tabs(shown)),
        "outcome_tabs": list(overview.outcome_tabs(shown)),
        "lines": lines,
        "pager": pager,
    }
    return render(request, "console/jobs/job.html", context)
