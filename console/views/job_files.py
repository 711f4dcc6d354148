"""The files of jobs: a template to fill in for each action, and a job's rows with what would happen and what did."""

from collections.abc import Iterable
from uuid import UUID

from django.http import Http404, StreamingHttpResponse
from django.views.decorators.http import require_safe

from console.access import ConsoleRequest, OrgAccess, Permission, org_view
from console.actions.catalogue import BY_KEY
from console.audit import entries
from console.audit.entries import Subject
from console.jobs.control import job_or_404
from console.jobs.drafts import require_to_prepare
from console.jobs.files.template import template_lines
from console.jobs.plan_action import action_of, plan_with_key
from console.jobs.results import result_lines
from console.models import AuditEntry
from console.source_address import source_address
from console.users.remembered import known_attributes


@org_view(Permission.RUN_JOBS)
@require_safe
def job_template(request: ConsoleRequest, access: OrgAccess, key: str) -> StreamingHttpResponse:
    """Send an empty list for an action, with a heading for each value that it may write."""
    action = BY_KEY.get(key) or plan_with_key(access, key)
    if action is None or not action.bulk:
        raise Http404("No such action.")
    require_to_prepare(access, action)
    attributes = known_attributes(access) or () if action.form.looks_at_schema else ()
    return _csv(template_lines(action, attributes), f"{key}.csv")


@org_view(Permission.RUN_JOBS)
@require_safe
def job_file(request: ConsoleRequest, access: OrgAccess, job_id: UUID) -> StreamingHttpResponse:
    """Send every row with its preview or result, which is a list again. The audit log records who took it."""
    job = job_or_404(access, job_id)
    entries.record(
        access.org,
        "job.downloaded",
        subject=Subject(kind=AuditEntry.Subject.JOB, id=job.pk, name=action_of(job).name),
        operator=access.operator,
        source_address=source_address(request),
    )
    return _csv(result_lines(job), f"job-{job.pk}.csv")


def _csv(lines: Iterable[str], name: str) -> StreamingHttpResponse:
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
