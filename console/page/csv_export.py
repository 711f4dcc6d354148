"""CSV export without CSV injection and without conversion: a spreadsheet opens every text as text.

The separator is a comma, but many spreadsheets read a semicolon or a tab instead: a cell must stay harmless when it is
split at one of those. The JSON lines beside the CSV are exact.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence

# Excel, LibreOffice and Google Sheets read these as the start of a formula.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_FORMULA_AFTER_SEPARATOR = re.compile("([;\t\r\n|][ \"']*)([=+\\-@\uff1d\uff0b\uff0d\uff20])")
_MONTHS = (
    "jan(uary|uar)?|feb(ruary|ruar)?|mar(ch)?|m\u00e4rz|apr(il)?|may|mai|june?|juni|july?|juli|aug(ust)?|"
    "sept?(ember)?|o[ck]t(ober)?|nov(ember)?|de[cz](ember)?"
)
# A number, an amount, a time or a date, for example 00123, 1E10, 3/4, 12:30, 5 %, DEC-15, 3 May 2026; or a truth value.
_CONVERTED = re.compile(
    rf"""[\d\s.,:/%+\-()$€£¥']*\d(?:[\d\s.,:/%+\-()$€£¥']|e(?=[+\-]?\d)|[ap]m)*
    | (?:\d{{1,4}}[\s.,/\-]*)?(?:{_MONTHS})\.?(?:[\s.,/\-]*\d{{1,4}}){{1,2}}
    | \d{{1,4}}[\s.,/\-]*(?:{_MONTHS})\.?
    | true | false""",
    re.VERBOSE | re.IGNORECASE,
)


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
    """Return the value as text. A text that a spreadsheet would calculate or convert gets an apostrophe in front."""
    if value is None:
        return ""
    text = _FORMULA_AFTER_SEPARATOR.sub(r"\1'\2", str(value))
    is_changed = isinstance(value, str) and _CONVERTED.fullmatch(text.strip())
    return f"'{text}" if is_changed or text.lstrip(" ").startswith(_FORMULA_STARTS) else text
