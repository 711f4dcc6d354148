"""Rows of one job about the same user: a repetition runs once, and rows that want different things do not run."""

from collections.abc import Iterator

from django.db.models import Count
from django.db.models.functions import Lower
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.models import Job, JobRow
from pingone_integration.texts import english

Verdict = JobRow.Verdict
_RUNS = (Verdict.CHANGE, Verdict.CREATE, Verdict.SAME_PERSON, Verdict.NO_CHANGE)
_AGAIN = _("The same as line {number}.")
_DIFFERS = _("Line {number} wants something else for the same user.")


def mark(job: Job) -> None:
    """Give rows about one user their verdict. Rows that were marked before stay marked."""
    for rows in _repeated(job):
        first = rows[0]
        if all(row.inputs == first.inputs for row in rows):
            for row in rows[1:]:
                row.verdict, row.detail = Verdict.DUPLICATE, english(format_lazy(_AGAIN, number=first.number))
        else:
            for row, other in zip(rows, [rows[1], *[first] * len(rows)], strict=False):
                row.verdict, row.detail = Verdict.CONFLICT, english(format_lazy(_DIFFERS, number=other.number))
        JobRow.objects.bulk_update(rows, ["verdict", "detail"], batch_size=500)


def _repeated(job: Job) -> Iterator[list[JobRow]]:
    rows = job.rows.filter(verdict__in=_RUNS)
    known, new = rows.exclude(user_id=None), rows.filter(user_id=None).annotate(name=Lower("label"))
    for user_id in known.values_list("user_id", flat=True).annotate(count=Count("pk")).filter(count__gt=1).order_by():
        yield list(known.filter(user_id=user_id).order_by("number"))
    for name in new.values_list("name", flat=True).annotate(count=Count("pk")).filter(count__gt=1).order_by():
        yield list(new.filter(name=name).order_by("number"))
