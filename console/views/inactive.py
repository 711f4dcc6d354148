"""Inactive users: who never signed in, or not for long, with their counts, and as a CSV file."""

from collections.abc import Iterator
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from console.access import ConsoleRequest, OrgAccess, Permission, org_view
from console.audit import entries
from console.audit.entries import Subject
from console.crawls import populations
from console.inactive.page import read_page
from console.inactive.search import InactiveForm, crawls_of, found, in_parts
from console.models import AuditEntry
from console.page.csv_export import csv_lines
from console.plans.offered import offered_for
from console.source_address import source_address

COLUMNS = ("User ID", "Username", "Population", "Enabled", "Created", "Last sign-on", "Active last", "As of")


@org_view(Permission.VIEW_USERS)
@require_safe
def inactive(request: ConsoleRequest, access: OrgAccess) -> HttpResponse:
    """Show a page of inactive users from the last crawls. No call to PingOne."""
    is_on = populations.is_on(access.org)
    form = InactiveForm(request.GET, access=access)
    context = {"form": form, "is_on": is_on, "may_set": access.is_org_admin, "may_run_jobs": False}
    if not is_on or not form.is_valid():
        return render(request, "console/inactive/inactive.html", context, status=422 if is_on else 200)
    query = form.query()
    context |= {
        "shown": read_page(access, form, request.GET.get("page", "")),
        "may_export": access.allows(Permission.EXPORT_USERS),
        "may_run_jobs": access.allows(Permission.RUN_JOBS),
        "may_start_plans": access.allows(Permission.RUN_JOBS) and bool(offered_for(access)),
        "query": query,
        "job_url": _job_url(access, query),
        "export_url": f"{reverse('inactive-export', args=[access.org.slug])}?{query}",
    }
    return render(request, "console/inactive/inactive.html", context)


def _job_url(access: OrgAccess, query: str) -> str:
    return f"{reverse('new-job', args=[access.org.slug])}?{urlencode({'source': 'inactive', 'inactive': query})}"


@org_view(Permission.EXPORT_USERS)
@require_safe
def export_inactive(request: ConsoleRequest, access: OrgAccess) -> HttpResponse | StreamingHttpResponse:
    """Stream all of them as CSV. The audit log records who exported them."""
    form = InactiveForm(request.GET, access=access)
    if not form.is_valid():
        return redirect("inactive", access.org.slug)
    criteria = form.criteria
    entries.record(
        access.org,
        "inactive.exported",
        subject=Subject(kind=AuditEntry.Subject.POLICY, id=access.org.slug, name=access.org.name),
        operator=access.operator,
        source_address=source_address(request),
        inputs=criteria.stored(),
    )

    def rows() -> Iterator[tuple[object, ...]]:
        crawls = {crawl.pk: crawl for crawl in crawls_of(access, criteria.population_id)}
        names = {pk: form.names.get(crawl.population_id, "") for pk, crawl in crawls.items()}
        for number, one in enumerate(in_parts(found(list(crawls.values()), criteria))):
            if number % 1_000 == 0 and not _may_still(access):
                yield ("INCOMPLETE: You are no longer allowed to export these users.",)
                return
            times = (one.created_at, one.last_sign_on_at, one.active_at, crawls[one.crawl_id].started_at)
            yield one.user_id, one.username, names[one.crawl_id], one.enabled, *(at and at.isoformat() for at in times)

    response = StreamingHttpResponse(csv_lines(COLUMNS, rows()), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="inactive-users.csv"'
    return response


def _may_still(access: OrgAccess) -> bool:
    try:
        now = access.again()
    except (Http404, PermissionDenied):
        return False
    return now.allows(Permission.EXPORT_USERS) and now.populations == access.populations
