"""CSV export without CSV injection: a spreadsheet opens every cell as text."""

import csv
from collections.abc import Iterable, Iterator, Sequence

# Excel, LibreOffice and Google Sheets read these as the start of a formula.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


class _Echo:
    """A file that returns each line written to it."""

    def write(self, line: str) -> str:
        return line


def csv_lines(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Yield the CSV line by line, with a byte order mark so that Excel reads UTF-8. No cell of a row is a formula."""
    writer = csv.writer(_Echo())
    yield "\ufeff"
    yield writer.writerow(columns)
    for row in rows:
        yield writer.writerow([cell(value) for value in row])


def cell(value: object) -> str:
    """Return the value as text, after an apostrophe if a spreadsheet would read a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA_STARTS) else text
