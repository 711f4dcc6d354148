"""The lists that jobs are made of: a file, ticked users, a search, a group, a population.

A list says who is acted on, never who is left out. The worker stores its rows with the job.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any
from uuid import UUID

from django.http import Http404
from django.utils import timezone

from console import visible_users
from console.access import OrgAccess
from console.actions.action import Action
from console.inactive import search as inactive
from console.inactive.search import Criteria
from console.jobs import drafts, undo
from console.jobs.files.bad_list import BadList
from console.jobs.files.columns import Columns, Remembered, meanings_of, normalized
from console.jobs.files.kept import pieces_of
from console.jobs.files.reading import ListReading, data_records, read_list
from console.jobs.files.rows import rows_of
from console.jobs.files.table import Record
from console.jobs.limits import TooManyRows, require_size
from console.jobs.listed import KeyKind, ListedRow
from console.models import ColumnMeanings, Job, JobRow, PeopleList
from pingone_integration import population_sync
from pingone_integration.calls.paging import Page, pages_of
from pingone_integration.errors import StaleCursor
from pingone_integration.schemas import Attribute
from pingone_integration.texts import Text
from pingone_integration.user_search import BadFilter
from pingone_integration.users import User

MOST_TICKED = 200  # a page of the user list
_MOST_STARTS = 3  # of a crawl: its cursor is worth nothing once the access token was renewed
_AT_ONCE = 1_000


class UnusableList(Exception):
    """No job can be made of the list. The reason is for the person who made it."""

    def __init__(self, reason: Text) -> None:
        super().__init__(reason)
        self.reason = reason


def file_or_404(access: OrgAccess, list_id: UUID) -> PeopleList:
    """Return a file that this operator uploaded, and of which no job is made yet."""
    own = PeopleList.objects.filter(organization=access.org, made_by=access.operator, source=Job.Source.FILE, job=None)
    if (found := own.filter(pk=list_id).first()) is None:
        raise Http404("No such list.")
    return found


def from_selection(access: OrgAccess, ids: Iterable[UUID]) -> PeopleList:
    """Return the list of users who were ticked."""
    listed = [str(one) for one in dict.fromkeys(ids)]
    return _made(access, Job.Source.SELECTION, {"ids": listed[:MOST_TICKED]})


def from_search(
    access: OrgAccess,
    *,
    text: str = "",
    raw_filter: str = "",
    population_id: UUID | None = None,
    group_id: UUID | None = None,
    enabled: bool | None = None,
) -> PeopleList:
    """Return the list of all users whom this search finds when the worker makes it: later input does not change it.

    Raises BadFilter.
    """
    visible_users.search_of(
        access, text=text, raw_filter=raw_filter, population_id=population_id, group_id=group_id, enabled=enabled
    )
    ids = {"population_id": population_id and str(population_id), "group_id": group_id and str(group_id)}
    return _made(access, Job.Source.SEARCH, {"text": text, "raw_filter": raw_filter, "enabled": enabled, **ids})


def from_group(access: OrgAccess, group_id: UUID) -> PeopleList:
    """Return the list of a group's direct and indirect members."""
    return _made(access, Job.Source.GROUP, {"group_id": str(group_id)})


def from_population(access: OrgAccess, population_id: UUID) -> PeopleList:
    return _made(access, Job.Source.POPULATION, {"population_id": str(population_id)})


def from_inactive(access: OrgAccess, criteria: Criteria) -> PeopleList:
    """Return the list of the users who are inactive by the last crawls, as this search finds them."""
    return _made(access, Job.Source.INACTIVE, criteria.stored())


def key_kind_of(people: PeopleList) -> KeyKind:
    """Return what the keys of the list's rows are. Of users who are created it is the username, and they have none."""
    if people.source == Job.Source.FILE:
        return Columns.of_stored(people.query["columns"]).key or KeyKind.USERNAME
    by_id = {Job.Source.SELECTION, Job.Source.INACTIVE}
    return KeyKind.ID if people.source in by_id else KeyKind.USERNAME


def read_file(
    access: OrgAccess,
    people: PeopleList,
    action: Action,
    attributes: Iterable[Attribute] = (),
    *,
    encoding: str = "",
    separator: str = "",
) -> ListReading:
    """Read a kept file to its end, with the columns as they were for the last list. Raises BadList."""
    memory = ColumnMeanings.objects.filter(organization=access.org, action=action.key).first()
    return read_list(
        pieces_of(people),
        meanings_of(action, attributes),
        encoding=encoding,
        separator=separator,
        creates=not action.needs_user,
        remembered=Remembered(memory.meanings, KeyKind(memory.key) if memory.key else None) if memory else None,
    )


def check_file(access: OrgAccess, people: PeopleList, action: Action) -> None:
    """Read a file that was just uploaded. Raises BadList for one of which no job can be made, however it is read."""
    reading = read_file(access, people, action)
    mistakes: list[BadList] = []
    for one in reading.readings:
        try:
            read_file(access, people, action, encoding=one.encoding)
        except BadList as bad:
            mistakes.append(bad)
        else:
            return
    if mistakes:
        raise mistakes[0]


def choose_columns(
    access: OrgAccess, people: PeopleList, action: Action, reading: ListReading, columns: Columns
) -> None:
    """Keep how the file is read, and remember the columns for the next list. Raises BadList if they do not do."""
    if columns.problem:
        raise BadList(columns.problem)
    people.query = {
        "encoding": reading.encoding,
        "separator": reading.separator,
        "count": reading.count,
        "is_possibly_cut": reading.is_possibly_cut,
        "columns": columns.stored(),
    }
    people.save(update_fields=["query"])
    remembered: dict[str, str] = {}
    for column in columns.columns:  # of two headings that differ in their accents, the one that is read counts
        short = normalized(column.heading)
        remembered[short] = remembered.get(short) or column.meaning
    ColumnMeanings.objects.update_or_create(
        organization=access.org, action=action.key, defaults={"meanings": remembered, "key": columns.key or ""}
    )


def rows(access: OrgAccess, people: PeopleList) -> Iterator[ListedRow]:
    """Yield the rows of the list. A user whom the operator may not see is not among them. Raises PingOneErrors."""
    match people.source:
        case Job.Source.FILE:
            names = population_sync.synced(access.org.connection).values_list("population_id", "name")
            seen = [(name, str(one)) for one, name in names if access.sees_population(one)]
            yield from rows_of(records(people), Columns.of_stored(people.query["columns"]), populations=seen)
        case Job.Source.SELECTION:
            for number, user_id in enumerate(people.query["ids"], start=1):
                yield ListedRow(number=number, key=user_id)
        case Job.Source.INACTIVE:
            criteria = Criteria.of_stored(people.query)
            crawls = inactive.crawls_of(access.again(), criteria.population_id)
            for number, one in enumerate(inactive.in_parts(inactive.found(crawls, criteria)), start=1):
                yield ListedRow(number=number, key=str(one.user_id), username=one.username)
        case _:
            for number, user in enumerate(_crawl(access, people.query), start=1):
                yield ListedRow(number=number, key=user.username)


def records(people: PeopleList) -> Iterator[Record]:
    """Yield the lines of a kept file below the header, as they are written."""
    return data_records(pieces_of(people), people.query["encoding"], people.query["separator"])


def fill(access: OrgAccess, job: Job, is_kept: Callable[[], bool] = lambda: True) -> bool:
    """Store the rows of the job's list, unless they are stored. Return whether they are.

    A worker that was killed meanwhile left some of them: the next one begins anew. `is_kept` is asked now and again
    whether the job is still this worker's. Raises UnusableList, PingOneErrors, and as OrgAccess.again.
    """
    try:
        return _fill(access, job, is_kept)
    except BadList as error:
        raise UnusableList(error.told) from error
    except TooManyRows as error:
        raise UnusableList(error.reason) from error
    except BadFilter as error:
        raise UnusableList(str(error)) from error


def _fill(access: OrgAccess, job: Job, is_kept: Callable[[], bool]) -> bool:
    people = PeopleList.objects.filter(job=job, filled_at=None).first()
    if people is None:
        return True
    JobRow.objects.filter(job=job).delete()
    is_undo = people.source == Job.Source.UNDO
    count, made = 0, undo.rows_of(job) if is_undo else (drafts.stored(job, row) for row in rows(access, people))
    while some := list(islice(made, _AT_ONCE)):
        count += len(some)
        require_size(access, count)
        JobRow.objects.bulk_create(some)
        if not is_kept():
            return False
    return bool(PeopleList.objects.filter(pk=people.pk).update(filled_at=timezone.now()))


def _made(access: OrgAccess, source: Job.Source, query: dict[str, Any]) -> PeopleList:
    return PeopleList.objects.create(organization=access.org, made_by=access.operator, source=source, query=query)


def _crawl(access: OrgAccess, query: dict[str, Any]) -> Iterator[User]:
    """Yield the users whom the search finds, each once. The operator's rights are read anew for each page."""
    seen: set[UUID] = set()
    for starts in range(1, _MOST_STARTS + 1):

        def read(cursor: str | None) -> Page[User]:
            now = access.again()
            found = visible_users.search_of(now, **_criteria(query))
            return visible_users.search(now, now.pingone(), found, limit=200, cursor=cursor)

        try:
            for page in pages_of(read):
                for user in page.items:
                    if user.id not in seen:
                        seen.add(user.id)
                        yield user
        except StaleCursor:
            if starts == _MOST_STARTS:
                raise
        else:
            return


def _criteria(query: dict[str, Any]) -> dict[str, Any]:
    ids = {name: UUID(query[name]) for name in ("population_id", "group_id") if query.get(name)}
    return {name: query[name] for name in ("text", "raw_filter", "enabled") if name in query} | ids
