"""The list of jobs: one line for each, the latest first."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count

from console.access import OrgAccess
from console.jobs.overview import Overview, visible
from console.models import Job, JobRow
from console.page.pager import Pager

PAGE_SIZE = 25


@dataclass(frozen=True, kw_only=True)
class JobLine:
    """A job, and how many of its rows were done."""

    overview: Overview
    rows: int
    done: int


def lines_of(access: OrgAccess, page: str) -> tuple[list[JobLine], Pager]:
    """Return the jobs of a page of the list, and its pager. Two queries, however many jobs there are."""
    number = max(1, int(page)) if page.isascii() and page.isdigit() and len(page) < 6 else 1
    start = (number - 1) * PAGE_SIZE
    jobs = list(visible(access).order_by("-created_at")[start : start + PAGE_SIZE + 1])
    counted = _counted(jobs[:PAGE_SIZE])
    lines = [
        JobLine(overview=Overview(job=job), rows=sum(counted[job.pk].values()), done=counted[job.pk][JobRow.State.DONE])
        for job in jobs[:PAGE_SIZE]
    ]
    pager = Pager(
        previous=f"?page={number - 1}" if number > 1 else "",
        next=f"?page={number + 1}" if len(jobs) > PAGE_SIZE else "",
    )
    return lines, pager


def _counted(jobs: Iterable[Job]) -> defaultdict[UUID, Counter[str]]:
    """Return the numbers of rows by job and state, from an index alone."""
    counted: defaultdict[UUID, Counter[str]] = defaultdict(Counter)
    found = JobRow.objects.filter(job__in=jobs).order_by().values_list("job", "state").annotate(count=Count("pk"))
    for job_id, state, count in found:
        counted[job_id][state] = count
    return counted
