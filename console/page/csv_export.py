"""CSV export without CSV injection and without conversion: a spreadsheet opens every text as text.

The separator is a comma, but many spreadsheets read a semicolon or a tab instead: a cell must stay harmless when it is
split at one of those. Reading a cell takes the apostrophes off again, so that an export can be read back without loss.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence

# Excel, LibreOffice and Google Sheets read these as the start of a formula.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_FORMULA_AFTER_SEPARATOR = re.compile("([;\t\r\n|][ \"']*)([=+\\-@\uff1d\uff0b\uff0d\uff20])")
_GUARDED_AFTER_SEPARATOR = re.compile("([;\t\r\n|][ \"']*)'([=+\\-@\uff1d\uff0b\uff0d\uff20])")
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
    return f"'{text}" if _needs_guard(text, is_text=isinstance(value, str)) else text


def value_of(cell: str) -> str:
    """Return the text of which `cell` made this, without the apostrophes that it added."""
    text = cell[1:] if cell.startswith("'") and _needs_guard(cell[1:], is_text=True) else cell
    return _GUARDED_AFTER_SEPARATOR.sub(r"\1\2", text)


def _needs_guard(text: str, *, is_text: bool) -> bool:
    """Return whether the text needs an apostrophe. One of its own before such a text counts, or it would be taken off.

    `is_text` is False for numbers and times, which a spreadsheet may convert.
    """
    bare = text.lstrip("'") if is_text else text
    is_changed = is_text and _CONVERTED.fullmatch(bare.strip())
    return bool(is_changed) or bare.lstrip(" ").startswith(_FORMULA_STARTS)
