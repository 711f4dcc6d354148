"""CSV exports: no cell is a formula for a spreadsheet (CSV injection)."""

import csv
from io import StringIO

import pytest

from console.page.csv_export import cell, csv_lines


@pytest.mark.parametrize(
    "hostile",
    ["=1+1", "+46701", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1", "\n=1", "=cmd|' /C calc'!A0", "\uff1d1+1"],
)
def test_cell_that_begins_like_a_formula_is_quoted(hostile: str) -> None:
    assert cell(hostile) == f"'{hostile}"


@pytest.mark.parametrize("harmless", ["Mara", "", "a=b", "1 - 2", "mara@acme.test", "'=1"])
def test_other_cells_are_unchanged(harmless: str) -> None:
    assert cell(harmless) == harmless


def test_lines_read_back_as_the_same_values() -> None:
    rows = [("a,b", 'c"d', "e\nf", None, 5)]

    text = "".join(csv_lines(("one", "two", "three", "four", "five"), rows))

    assert text.startswith("\ufeff")
    assert list(csv.reader(StringIO(text.removeprefix("\ufeff"), newline=""))) == [
        ["one", "two", "three", "four", "five"],
        ["a,b", 'c"d', "e\nf", "", "5"],
    ]
