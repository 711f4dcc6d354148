"""CSV exports: no cell is a formula for a spreadsheet (CSV injection)."""

import csv
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.page.csv_export import cell, csv_lines, value_of


@pytest.mark.parametrize(
    "hostile",
    ["=1+1", "+46701", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1", "\n=1", "=cmd|' /C calc'!A0", "\uff1d1+1"],
)
def test_cell_that_begins_like_a_formula_is_quoted(hostile: str) -> None:
    assert cell(hostile).startswith("'")


@pytest.mark.parametrize(
    "harmless",
    [
        *(
            "Mara",
            "",
            "a=b",
            "mara@acme.test",
            "'Mara'",
            "INC12345",
            "Room 3",
            "Mai Lind",
            "April Ek",
            "a; b",
            "Augusta",
        ),
        *("7f6e5d4c-3b2a-4190-8f7e-6d5c4b3a2910", "2026-11-27T14:28:05+00:00", 5, 1.5),
    ],
)
def test_other_cells_are_unchanged(harmless: object) -> None:
    assert cell(harmless) == str(harmless)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "00123",
            "1E10",
            "1e+5",
            "3/4",
            "1-2",
            "1 - 2",
            "12:30",
            "5 %",
            "1,000.50",
            "2026-11-27",
            "12345678901234567890",
        ),
        *("DEC-15", "Dec 15", "3 May 2026", "15. M\u00e4rz", "MAR1", "true", "FALSE", " 007 ", "1'000", "9pm", "€ 5"),
    ],
)
def test_text_that_a_spreadsheet_converts_stays_text(text: str) -> None:
    assert cell(text) == f"'{text}"


@given(st.text(alphabet="=+-@\uff1d;,\t\r\n|\"' aA1", max_size=12))
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_no_cell_is_a_formula_with_any_separator(separator: str, text: str) -> None:
    lines = "".join(csv_lines(["name", "title"], [[text, "x"], ["x", text]])).removeprefix("\ufeff")

    for row in csv.reader(StringIO(lines, newline=""), delimiter=separator):
        for found in row:
            assert not found.lstrip(" \t\r\n").startswith(("=", "+", "-", "@", "\uff1d"))


@pytest.mark.parametrize(
    ("text", "written"),
    [
        *(("=1+1", "'=1+1"), ("'=1+1", "''=1+1"), ("''=1+1", "'''=1+1"), ("'007", "''007"), ("'Mara", "'Mara")),
        *(("a; -b", "a; '-b"), ("a; '-b", "a; ''-b"), ("\t=1", "'\t'=1"), ("+46.70", "'+46.70"), (" true", "' true")),
    ],
)
def test_apostrophe_of_the_text_itself_is_kept_apart_from_the_added_one(text: str, written: str) -> None:
    assert cell(text) == written
    assert value_of(written) == text


@given(st.text() | st.text(alphabet="=+-@\uff1d;,\t\r\n|\"' aA1etru/", max_size=12) | st.from_regex(r"'*[-=]?'*\d*"))
def test_exported_text_is_read_back_as_it_was(text: str) -> None:
    assert value_of(cell(text)) == text


def test_lines_read_back_as_the_same_values() -> None:
    rows = [("a,b", 'c"d', "e\nf", None, 5)]

    text = "".join(csv_lines(("one", "two", "three", "four", "five"), rows))

    assert text.startswith("\ufeff")
    assert list(csv.reader(StringIO(text.removeprefix("\ufeff"), newline=""))) == [
        ["one", "two", "three", "four", "five"],
        ["a,b", 'c"d', "e\nf", "", "5"],
    ]
