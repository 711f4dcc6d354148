"""Names of people in the alphabet that PingOne has for them."""

# ruff: noqa: RUF001 - apostrophes and dashes that look like each other

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pingone_integration.texts import english
from pingone_integration.typed.names import changed_in, fitting, problem_with, straightened

ANY_NAME = st.text(st.one_of(st.sampled_from("'’‘´`‐‑–—－．.- (),/"), st.characters(exclude_categories=["Cs"])))
HELD = st.text(st.one_of(st.sampled_from("' .-"), st.characters(categories=["L", "M", "N"])))


@pytest.mark.parametrize(
    ("typed", "held"),
    [
        ("O’Shea", "O'Shea"),
        ("D‘Arcy", "D'Arcy"),
        ("O´Neil", "O'Neil"),
        ("O＇Brien", "O'Brien"),
        ("Lind–Berg", "Lind-Berg"),
        ("Lind‑Berg", "Lind-Berg"),
        ("Ek－Berg", "Ek-Berg"),
        ("Lind Jr．", "Lind Jr."),
        ("Kekoʻolani", "Kekoʻolani"),  # a letter of Hawaiian, not an apostrophe
    ],
)
def test_name_is_straightened(typed: str, held: str) -> None:
    assert straightened(typed) == held
    assert problem_with(held) == ""


@given(ANY_NAME)
def test_straightening_changes_only_what_pingone_cannot_hold(name: str) -> None:
    for before, after in zip(name, straightened(name), strict=True):
        assert before == after or problem_with(before)
        assert before == after or not problem_with(after)


@given(HELD)
def test_name_that_pingone_can_hold_stays(name: str) -> None:
    assert straightened(name) == name
    assert problem_with(name) == ""


@given(ANY_NAME)
def test_fitting_name_is_one_that_pingone_can_hold(name: str) -> None:
    assert problem_with(fitting(name)) == ""
    assert unicodedata.normalize("NFC", fitting(name)).strip() == unicodedata.normalize("NFC", fitting(name))


@pytest.mark.parametrize(("name", "named"), [("Smith, Jr", "“,”"), ("Lind/Berg", "“/”"), ("Lind 🚀", "“🚀” (U+1F680)")])
def test_problem_names_the_character_in_words(name: str, named: str) -> None:
    assert english(problem_with(name)).startswith(f"PingOne cannot hold {named} here.")


@pytest.mark.parametrize(
    ("formatted", "changes", "changed"),
    [
        ("Mara Lind", {"Lind": "Berg"}, "Mara Berg"),
        ("Mara Lindgren", {"Lind": "Berg"}, "Mara Lindgren"),  # another name
        ("Lind Mara", {"lind": "Berg"}, "Berg Mara"),
        ("Ann Marie Lee", {"Ann": "Eva", "Ann Marie": "Eva Marie"}, "Eva Marie Lee"),
        ("Mara Lind", {"": "Berg"}, "Mara Lind"),
        ("Mara (M) Lind", {"M": "(N)"}, "Mara N Lind"),
    ],
)
def test_formatted_name_follows_its_parts(formatted: str, changes: dict[str, str], changed: str) -> None:
    assert changed_in(formatted, changes) == changed
