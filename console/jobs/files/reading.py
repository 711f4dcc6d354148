"""Reading a list: its encoding, separator, columns and people, checked to its end before anything is done with it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from django.utils.translation import gettext_lazy as _

from console.jobs.files import encodings
from console.jobs.files.bad_list import BadList
from console.jobs.files.columns import Columns, Meaning, Remembered, check_header, columns_of
from console.jobs.files.other_files import check_text
from console.jobs.files.rows import rows_of
from console.jobs.files.table import Record, records_of, separator_of
from console.jobs.listed import ListedRow

Pieces = Callable[[], Iterable[bytes]]  # the bytes of a file from its beginning, in pieces

_SAMPLE_ROWS = 5
_SAMPLE_CHARACTERS = 64_000


@dataclass(frozen=True, kw_only=True)
class ListReading:
    """What a file says. If its encoding is not certain, `readings` are to choose between, and it is not read yet."""

    encoding: str  # "" if not certain
    readings: tuple[encodings.Reading, ...] = ()
    separator: str = ","
    columns: Columns | None = None
    sample: tuple[list[str], ...] = ()  # the cells of the first rows
    count: int = 0  # of the people
    is_possibly_cut: bool = False  # the last line has no end

    @property
    def is_complete(self) -> bool:
        return self.columns is not None


def read_list(
    pieces: Pieces,
    meanings: Sequence[Meaning],
    *,
    encoding: str = "",
    separator: str = "",
    creates: bool = False,
    remembered: Remembered | None = None,
) -> ListReading:
    """Read a file to its end, in bounded memory. Empty `encoding` and `separator` are detected.

    Raises BadList, with the line, for a file that is not certain in every row.
    """
    if not any(pieces()):
        raise BadList(_("The file is empty."))
    found = encodings.encoding_of(pieces())
    if found:
        encoding = found  # what the bytes prove needs no choice
    elif encoding not in encodings.LABELS:
        readings = encodings.readings_of(pieces())
        if not readings:
            raise BadList(_("This is not a text file in an encoding we know. Save it as UTF-8."))
        return ListReading(encoding="", readings=readings)
    beginning = _beginning(pieces, encoding)
    check_text(beginning)
    separator = separator or separator_of(beginning)
    records = records_of(encodings.decoded(pieces(), encoding), separator)
    header = next(records, None)
    if header is None:
        raise BadList(_("The file is empty."))
    check_header(header.cells, header.line)
    sample = tuple(islice(records, _SAMPLE_ROWS))
    if not sample:
        raise BadList(_("There is nobody in this list: it has only a line of headings."))
    columns = columns_of(
        header.cells,
        meanings,
        creates=creates,
        remembered=remembered,
        sample=[record.cells for record in sample],
    )
    count, is_ended = len(sample), sample[-1].is_ended
    for record in records:
        count, is_ended = count + 1, record.is_ended
    return ListReading(
        encoding=encoding,
        separator=separator,
        columns=columns,
        sample=tuple(record.cells for record in sample),
        count=count,
        is_possibly_cut=not is_ended,
    )


def rows_in(
    pieces: Pieces,
    reading: ListReading,
    *,
    columns: Columns | None = None,
    populations: Iterable[tuple[str, str]] | None = None,
) -> Iterator[ListedRow]:
    """Yield the rows of a file that was read before. `populations` as in rows_of. Raises BadList."""
    chosen = columns or reading.columns
    if chosen is None:
        raise ValueError("the file is not read yet")
    return rows_of(data_records(pieces, reading.encoding, reading.separator), chosen, populations=populations)


def data_records(pieces: Pieces, encoding: str, separator: str) -> Iterator[Record]:
    """Yield the records below the header. Raises BadList."""
    return islice(records_of(encodings.decoded(pieces(), encoding), separator), 1, None)


def _beginning(pieces: Pieces, encoding: str) -> str:
    text = ""
    for piece in encodings.decoded(pieces(), encoding):
        text += piece
        if len(text) >= _SAMPLE_CHARACTERS:
            break
    return text[:_SAMPLE_CHARACTERS]
