"""Rows of one job about the same user: a repetition runs once, and rows that want different things do not run."""

from collections.abc import Iterator

from django.db.models import Count, QuerySet
from django.db.models.functions import Lower
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.models import Job, JobRow
from pingone_integration.texts import Text, english

Verdict = JobRow.Verdict
_RUNS = (Verdict.CHANGE, Verdict.CREATE, Verdict.SAME_PERSON, Verdict.NO_CHANGE)
_AGAIN = _("The same as line {number}.")
_DIFFERS = _("Line {number} wants something else for the same user.")


def mark(job: Job) -> None:
    """Give rows about one user their verdict. Rows that were marked before stay marked."""
    for rows in _repeated(job):
        first, second = rows.order_by("number")[:2]
        others = rows.exclude(pk=first.pk)
        if all(inputs == first.inputs for inputs in others.values_list("inputs", flat=True).iterator()):
            _decide(others, Verdict.DUPLICATE, _AGAIN, first)
        else:
            _decide(others, Verdict.CONFLICT, _DIFFERS, first)
            _decide(job.rows.filter(pk=first.pk), Verdict.CONFLICT, _DIFFERS, second)


def _decide(rows: QuerySet[JobRow], verdict: JobRow.Verdict, told: Text, other: JobRow) -> None:
    rows.update(verdict=verdict, detail=english(format_lazy(str(told), number=other.number)))


def _repeated(job: Job) -> Iterator[QuerySet[JobRow]]:
    rows = job.rows.filter(verdict__in=_RUNS)
    known, new = rows.exclude(user_id=None), rows.filter(user_id=None).annotate(name=Lower("label"))
    for user_id in known.values_list("user_id", flat=True).annotate(count=Count("pk")).filter(count__gt=1).order_by():
        yield known.filter(user_id=user_id)
    for name in new.values_list("name", flat=True).annotate(count=Count("pk")).filter(count__gt=1).order_by():
        yield new.filter(name=name)
