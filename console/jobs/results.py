"""The result file of a job: the list as it was given, with the preview and the outcome of every row beside it.

It can be given again as a list.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from console.jobs import lists
from console.jobs.files.columns import normalized
from console.jobs.files.rows import text_of
from console.jobs.files.table import Record
from console.models import Job, JobRow, PeopleList
from console.page.csv_export import csv_lines
from pingone_integration.profiles import in_words

COLUMNS = ("Job preview", "Job changes", "Job outcome", "Job detail")
_OF_USERS = ("User ID", "Username", "Name")
_OURS = frozenset(map(normalized, COLUMNS))
_AT_ONCE = 500


def result_lines(job: Job) -> Iterator[str]:
    """Yield the lines of the result file. No cell of it is a formula, and texts stay texts."""
    people = PeopleList.objects.filter(job=job, source=Job.Source.FILE).first()
    if people is None or "columns" not in people.query:
        listed = ([row.user_id, row.label, row.full_name, *_told(row)] for row in _rows(job))
        return csv_lines([*_OF_USERS, *COLUMNS], listed)
    headings = [heading for heading, *_meaning in people.query["columns"]["columns"]]
    kept = [place for place, heading in enumerate(headings) if normalized(heading) not in _OURS]
    rows = ([*_given(record, kept), *_told(row)] for record, row in _beside_each_other(people, job))
    return csv_lines([*(headings[place] for place in kept), *COLUMNS], rows)


def _rows(job: Job) -> Iterator[JobRow]:
    """Yield the rows in pieces, so that a slow download holds no connection to the database."""
    after = 0
    while some := list(job.rows.filter(number__gt=after).order_by("number")[:_AT_ONCE]):
        yield from some
        after = some[-1].number


def _beside_each_other(people: PeopleList, job: Job) -> Iterator[tuple[Record, JobRow]]:
    """Yield each line of the file with its row. Both are in the order of the lines."""
    rows = _rows(job)
    row = next(rows, None)
    for record in lists.records(people):
        if row is not None and row.number == record.line:
            yield record, row
            row = next(rows, None)


def _given(record: Record, kept: Sequence[int]) -> list[str]:
    return [text_of(record.cells[place]) if place < len(record.cells) else "" for place in kept]


def _told(row: JobRow) -> tuple[str, str, str, str]:
    return row.verdict, _changes(row.shown), "left out" if row.left_out else row.state, row.problem or row.detail


def _changes(shown: Mapping[str, Any]) -> str:
    changes: Mapping[str, list[Any]] = shown.get("changes") or {}
    return "; ".join(
        f"{name}: {in_words(old)} -> {in_words(new)}" if in_words(old) else f"{name}: {in_words(new)}"
        for name, (old, new) in changes.items()
        if old != new
    )
