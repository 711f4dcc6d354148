"""The rows of a list: from the cells of a line to what it says about one user."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.jobs.files.bad_list import BadList
from console.jobs.files.columns import IGNORED, KEY_LABELS, POPULATION, Column, Columns, normalized
from console.jobs.files.table import Record
from console.jobs.listed import CLEAR, Clear, KeyKind, ListedRow
from console.page.csv_export import value_of
from pingone_integration.texts import Text
from pingone_integration.typed.text import Kind, clean
from pingone_integration.user_search import user_id_in

_LOST = "\ufffd"  # what stands for letters that could not be read
_TEXT_FORMULA = re.compile('="([^"]*)"')  # how some programs keep 00123 a text
_YES_NO = {"true": "true", "yes": "true", "1": "true", "false": "false", "no": "false", "0": "false"}
_OF_ENTRY = "subjectkind"  # a column of our audit log: its entries are about groups, too


class _Unusable(Exception):
    def __init__(self, told: Text) -> None:
        super().__init__(told)
        self.told = told


def rows_of(
    records: Iterable[Record], columns: Columns, *, populations: Iterable[tuple[str, str]] | None = None
) -> Iterator[ListedRow]:
    """Yield the rows below the header. A row that cannot be used has a `problem`; nothing else is read of it.

    `populations` are names with their IDs, for a column of populations; None leaves it as it is written.
    Raises BadList if the columns do not say who is meant.
    """
    if columns.problem:
        raise BadList(columns.problem)
    population_id = _population_by(populations or ())
    headings = [normalized(column.heading) for column in columns.columns]
    name = _username_beside_key(columns)
    about = headings.index(_OF_ENTRY) if _OF_ENTRY in headings else None
    for record in records:
        key, values, problem = "", {}, None
        try:
            key = _key(record, columns)
            _check(record, columns, about)
            values = _values(record, columns)
            if populations is not None and isinstance(written := values.get(POPULATION), str):
                values[POPULATION] = population_id(written)
        except _Unusable as unusable:
            problem, values = unusable.told, {}
        beside = record.cells[name] if name is not None and name < len(record.cells) else ""
        username = clean(value_of(beside), Kind.ID)
        yield ListedRow(number=record.line, key=key, values=values, username=username, problem=problem)


def _username_beside_key(columns: Columns) -> int | None:
    """Return the place of the column of usernames in a list of IDs, or of new users."""
    meanings = [column.meaning for column in columns.columns]
    is_there = columns.key in {KeyKind.ID, None} and KeyKind.USERNAME in meanings
    return meanings.index(KeyKind.USERNAME) if is_there else None


def _population_by(populations: Iterable[tuple[str, str]]) -> Callable[[str], str]:
    """Return the function from a population as it is written to its ID. It raises _Unusable."""
    ids: dict[str, list[str]] = defaultdict(list)
    for name, population in populations:
        ids[clean(name).casefold()].append(population)

    def find(written: str) -> str:
        if found := user_id_in(written):
            return str(found)
        match ids.get(written.casefold(), []):
            case [only]:
                return only
            case []:
                raise _Unusable(format_lazy(_("There is no population “{name}”."), name=written[:100]))
        told = _("Several populations have the name “{name}”. Write the ID of one of them.")
        raise _Unusable(format_lazy(told, name=written[:100]))

    return find


def _key(record: Record, columns: Columns) -> str:
    """Return the key, cleaned; empty if the users are created. Raises _Unusable without one."""
    if columns.key is None:
        return ""
    place = next(place for place, column in enumerate(columns.columns) if column.meaning == columns.key)
    written = record.cells[place] if place < len(record.cells) else ""
    text = _text(written, columns.columns[place])
    if not text:
        raise _Unusable(format_lazy(_("The {key} is missing."), key=KEY_LABELS[columns.key]))
    if columns.key is not KeyKind.ID:
        return text
    if found := user_id_in(text):
        return str(found)
    raise _Unusable(format_lazy(_("“{text}” is not a user ID."), text=text[:100]))


def _values(record: Record, columns: Columns) -> dict[str, str | Clear]:
    values: dict[str, str | Clear] = {}
    for column, cell in zip(columns.columns, record.cells, strict=False):
        if column.meaning in {IGNORED, columns.key, KeyKind.ID}:
            continue
        text = _text(cell, column)
        if text.casefold() == CLEAR.value:
            values[column.meaning] = CLEAR
        elif text:
            values[column.meaning] = text
    if columns.key is None and not isinstance(values.get(KeyKind.USERNAME), str):
        raise _Unusable(format_lazy(_("The {key} is missing."), key=KEY_LABELS[KeyKind.USERNAME]))
    if values.get(KeyKind.USERNAME) is CLEAR:
        raise _Unusable(_("A user needs a username: it cannot be cleared."))
    return values


def text_of(cell: str) -> str:
    """Return what a cell says, without what programs add so that it stays a text."""
    kept = _TEXT_FORMULA.fullmatch(cell.strip())
    return kept[1] if kept else value_of(cell)


def _text(cell: str, column: Column) -> str:
    """Return what the cell says, cleaned. Raises _Unusable for a formula, and for letters that were lost."""
    if not cell.strip():
        return ""
    if _LOST in cell:
        told = _("Letters were lost in the column “{heading}” when the file was saved: “{text}”.")
        raise _Unusable(format_lazy(told, heading=column.heading, text=cell.strip()[:100]))
    if cell.strip().startswith(("=", "\uff1d")) and not _TEXT_FORMULA.fullmatch(cell.strip()):
        told = _("The column “{heading}” has a formula, not a text: {text}")
        raise _Unusable(format_lazy(told, heading=column.heading, text=cell.strip()[:100]))
    text = clean(text_of(cell), column.kind)
    return _YES_NO.get(text.casefold(), text) if column.is_yes_no else text


def _check(record: Record, columns: Columns, about: int | None) -> None:
    """Raise _Unusable for a line that does not fit below the header. `about` is the column of what it is about."""
    count, most = len(record.cells), len(columns.columns)
    if any(cell.strip() for cell in record.cells[most:]):
        told = _(
            "This line has {count} cells, the first line has {most}. A cell with a separator needs quotation marks."
        )
        raise _Unusable(format_lazy(told, count=count, most=most))
    if count < most and not record.is_ended:
        raise _Unusable(_("The last line is cut off: it has too few cells."))
    kind = record.cells[about].strip() if about is not None and about < count else ""
    if kind not in {"", "user"}:
        raise _Unusable(format_lazy(_("This line is not about a user: {kind}."), kind=kind[:100]))
