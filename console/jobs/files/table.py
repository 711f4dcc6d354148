"""A CSV as records with their line numbers, read in pieces: memory does not grow with the file."""

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.jobs.files.bad_list import BadList
from pingone_integration.texts import Text

MOST_BYTES = 20_000_000
MOST_ROWS = 100_000
MOST_COLUMNS = 500
LONGEST_CELL = 32_000  # characters: about what a cell of a workbook holds, and twice a profile at PingOne
_LONGEST = 1_000_000  # characters of a line, and of a record, which may have several

SEPARATORS = (",", ";", "\t", "|")
_SAMPLE_RECORDS = 30
_DECLARED = re.compile(r"\"?sep=([,;\t|])\"?\s*", re.IGNORECASE)  # the first line, for Excel

_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Record:
    """One row of the table: its cells as they are written."""

    line: int  # the first of its lines, from 1
    cells: list[str]
    is_ended: bool  # False for a last line without its end: the file may be cut off


def records_of(text: Iterable[str], separator: str) -> Iterator[Record]:
    """Yield the records that have a cell. Raises BadList where the table cannot be read with certainty."""
    lines = _Lines(text)
    reader = csv.reader(lines, delimiter=separator, skipinitialspace=separator != "\t", strict=True)
    rows = -1  # without the header
    while True:
        first = lines.count + 1
        lines.begin_record()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise _unreadable(error, first, lines.count) from None
        if first == 1 and _DECLARED.fullmatch(separator.join(cells)):
            continue
        if not any(cell and not cell.isspace() for cell in cells):
            continue
        rows += 1
        _check(cells, first, rows)
        yield Record(first, cells, is_ended=lines.is_ended)


def separator_of(sample: str) -> str:
    """Return the separator of a table that begins with this text: the one that makes most columns, row after row."""
    if declared := _DECLARED.fullmatch(sample.partition("\n")[0]):
        return declared[1]
    best, most = SEPARATORS[0], 1.0
    for separator in SEPARATORS:
        counts = _columns_in(sample, separator)
        alike = counts.count(counts[0]) / len(counts) if counts else 0
        columns = counts[0] * alike if counts and counts[0] > 1 else 0
        if columns > most:
            best, most = separator, columns
    return best


def _columns_in(sample: str, separator: str) -> list[int]:
    """Return the number of cells of each of the first rows. The last may be cut off: it does not count."""
    lines = re.split(r"\r\n|\r|\n", sample)
    reader = csv.reader((f"{line}\n" for line in lines), delimiter=separator, skipinitialspace=True)
    try:
        rows = [row for row in islice(reader, _SAMPLE_RECORDS) if any(cell.strip() for cell in row)]
    except csv.Error:
        return []
    return [len(row) for row in (rows[:-1] or rows)]


def _check(cells: list[str], line: int, rows: int) -> None:
    if len(cells) > MOST_COLUMNS:
        told = _("There are {count} columns. A list may have {most}.")
        raise BadList(format_lazy(told, count=f"{len(cells):,}", most=MOST_COLUMNS), line=line)
    if rows > MOST_ROWS:
        told = _("The list has more than {most} people. Split it.")
        raise BadList(format_lazy(told, most=f"{MOST_ROWS:,}"), line=line)
    if long := next((place for place, cell in enumerate(cells, start=1) if len(cell) > LONGEST_CELL), None):
        raise BadList(_too_long(long), line=line)


def _too_long(column: int | None) -> Text:
    if column is None:
        return format_lazy(_("A cell is longer than {most} characters."), most=f"{LONGEST_CELL:,}")
    told = _("The cell in column {column} is longer than {most} characters.")
    return format_lazy(told, column=column, most=f"{LONGEST_CELL:,}")


def _too_long_a_line(line: int) -> BadList:
    return BadList(format_lazy(_("This line is longer than {most} characters."), most=f"{_LONGEST:,}"), line=line)


def _unreadable(error: csv.Error, first: int, last: int) -> BadList:
    """Return the cause of a CSV error in words. It names the line where the record begins, not where it was noticed."""
    if "field larger" in str(error):
        return BadList(_too_long(None) if first == last else _NEVER_ENDS, line=first)
    if "unexpected end" in str(error) or first < last:
        return BadList(_NEVER_CLOSED, line=first)
    told = _("There is text after a closing quotation mark. Write a quotation mark inside a cell twice.")
    return BadList(told, line=first)


_NEVER_CLOSED = _("A quotation mark opens a cell here, and is not closed where the cell ends.")
_NEVER_ENDS = format_lazy(
    _("A quotation mark opens a cell here that is longer than {most} characters: perhaps it is not closed."),
    most=f"{LONGEST_CELL:,}",
)


class _Lines:
    """The lines of a text that comes in pieces, whatever ends them."""

    def __init__(self, text: Iterable[str]) -> None:
        self.text = iter(text)
        self.count = 0  # lines given out
        self.is_ended = True  # whether the last of them had its end
        self.record_begins_at, self.record_length = 1, 0
        self.lines = self._split()

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self.lines)
        self.count += 1
        if "\0" in line:
            raise BadList(
                _("There is a NUL character here: this is not a text file, or it is damaged."), line=self.count
            )
        self.record_length += len(line)
        if self.record_length > _LONGEST:
            raise _too_long_a_line(self.record_begins_at)
        return line

    def begin_record(self) -> None:
        self.record_begins_at, self.record_length = self.count + 1, 0

    def _split(self) -> Iterator[str]:
        rest = ""
        for piece in self.text:
            text, rest, start = rest + piece, "", 0
            for end in _END.finditer(text):
                if end.end() == len(text) and end[0] == "\r":
                    break  # its \n may be in the next piece
                yield text[start : end.end()]
                start = end.end()
            rest = text[start:]
            if len(rest) > _LONGEST:
                raise _too_long_a_line(self.count + 1)
        if rest:
            self.is_ended = rest.endswith("\r")
            yield rest
