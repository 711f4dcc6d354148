"""What a job amounts to: its rows by verdict, the calls to PingOne, and how long they take at the present rate."""

from math import ceil
from typing import Any

from django.db.models import Count

from console.access import OrgAccess
from console.jobs.row_choice import to_be_run
from console.models import Job, JobRow
from console.work.share import percent_for
from pingone_integration.calls import rate_limit

# Calls for one row that changes something: the user, their roles, the write, the user again, and what else the action
# reads before and after. A test counts them.
CALLS = {
    "user.create": 4,
    "user.update": 5,
    "user.move": 6,
    "user.unlock": 4,
    "group.add": 9,
    "group.remove": 11,
    "password.force-change": 6,
    "sessions.end-all": 7,
}
USUAL = 4


def of_preview(job: Job) -> dict[str, Any]:
    """Return the totals of a preview, to be stored with the job."""
    rows = job.rows.order_by()
    verdicts = dict(rows.values_list("verdict").annotate(count=Count("pk")))
    return {"rows": sum(verdicts.values()), "verdicts": verdicts, "cleared": _cleared(job)}


def counts(job: Job) -> dict[str, int]:
    """Return the rows by state."""
    return dict(job.rows.order_by().values_list("state").annotate(count=Count("pk")))


def _cleared(job: Job) -> int:
    """Return how many fields would be cleared."""
    values = job.rows.filter(verdict=JobRow.Verdict.CHANGE).values_list("values", flat=True)
    return sum(value is None for row in values.iterator() for value in row.values())


def to_run(job: Job) -> int:
    """Return how many rows are still to run, as it was decided so far."""
    return to_be_run(job).count()


def calls_for(job: Job, rows: int) -> int:
    return rows * CALLS.get(job.action, USUAL)


def minutes_for(access: OrgAccess, job: Job, rows: int) -> int:
    """Return how long so many rows take at the present rate, rounded up."""
    rate = rate_limit.calls_a_second(access.org.connection, percent_for(access.org))
    return ceil(calls_for(job, rows) / rate / 60)
