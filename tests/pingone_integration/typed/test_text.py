"""Typed text: what is removed from each kind of text, and what is never touched."""

# ruff: noqa: RUF001 - letters of several scripts that look like each other

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pingone_integration.texts import english
from pingone_integration.typed.text import Kind, as_read, clean, named, odd_character, without_joiners

_SPECIAL = "\u200b\u200c\u200d\ufe0f\u00ad\u202e\ufeff\u034f\u0301\u094d\u0d4d\u0627\u0645 \u00a0\t\"'<>,.;:@❤🚀1\u20e3"
ANY_TEXT = st.text(st.one_of(st.sampled_from(_SPECIAL), st.characters(exclude_categories=["Cs"])))
FILLERS = "\u115f\u1160\u3164\uffa0"  # letters by their category, but blank
KINDS = pytest.mark.parametrize("kind", Kind)


@pytest.mark.parametrize(
    ("typed", "kind", "cleaned"),
    [
        ("\u2068Mara\u2069\u00a0Elin\u200b Li\u00adnd\u3000", Kind.NAME, "Mara Elin Lind"),
        ("Jose\u0301", Kind.NAME, "José"),
        ("one\ttwo\r\nthree", Kind.NAME, "one two three"),
        ("علی\u200cرضا\u200c", Kind.NAME, "علی\u200cرضا"),  # Persian: two parts of one word
        ("\u200cعلی\u200c\u200c\u200bرضا", Kind.NAME, "علی\u200cرضا"),
        ("र्\u200dय", Kind.NAME, "र्\u200dय"),  # Marathi: the eyelash form of ra
        ("රා\u0dca\u200dය", Kind.NAME, "රා\u0dca\u200dය"),  # Sinhala
        ("രാജന്\u200d", Kind.NAME, "രാജന്\u200d"),  # Malayalam: the joiner makes the last letter
        ("Ma\u200cra Li\u200dnd", Kind.NAME, "Mara Lind"),  # Latin needs none
        ("👩\u200d🚀 ❤\ufe0f 1\ufe0f\u20e3", Kind.NAME, "👩\u200d🚀 ❤\ufe0f 1\ufe0f\u20e3"),
        ("❤\ufe0fMara\ufe0f", Kind.NAME, "❤\ufe0fMara"),
        ("\u3164", Kind.NAME, ""),
        ("“Mara”,", Kind.NAME, "“Mara”,"),  # may be meant
        (" a\u200b\r\n\r\nb \n", Kind.LINES, "a\n\nb"),
        ("«7c6b5a49»\u200b", Kind.ID, "7c6b5a49"),
        (" ‘INC-1’. ", Kind.ID, "INC-1"),
        ("ada\u200c.berg", Kind.ID, "ada.berg"),
        ("mailto:ada@acme.test", Kind.ADDRESS, "ada@acme.test"),
        ("MAILTO:a@b.test", Kind.ADDRESS, "a@b.test"),
        ("a@b.test,", Kind.ADDRESS, "a@b.test"),
        ('"Berg, Ada" <ada@acme.test>;', Kind.ADDRESS, "ada@acme.test"),
        ("<mailto:ada@acme.test>", Kind.ADDRESS, "ada@acme.test"),
        ("\ufeff ~S3cr\u200bet~, \u00a0", Kind.CODE, "~S3cret~,"),
        ("123 456", Kind.CODE, "123 456"),
        ('\ufeff{"a": "x\u200b"}\n', Kind.VERBATIM, '{"a": "x\u200b"}'),
    ],
)
def test_typed_text_is_cleaned_by_its_kind(typed: str, kind: Kind, cleaned: str) -> None:
    assert clean(typed, kind) == cleaned


@KINDS
@given(text=ANY_TEXT)
@example(text="<mailto:mailto:a@b.test>, ")
@example(text="\u094d\u200d\u093c\u200c")
def test_cleaning_twice_is_cleaning_once(kind: Kind, text: str) -> None:
    assert clean(clean(text, kind), kind) == clean(text, kind)


@KINDS
@given(text=st.text(st.characters(categories=["L", "Nd"], exclude_characters=FILLERS)))
def test_letters_and_digits_stay(kind: Kind, text: str) -> None:
    written = text if kind in {Kind.CODE, Kind.VERBATIM} else unicodedata.normalize("NFC", text)

    assert clean(text, kind) == written


@given(text=ANY_TEXT)
def test_cleaning_a_name_removes_nothing_that_is_seen(text: str) -> None:
    assert as_read(clean(text)) == as_read(text)


@given(text=ANY_TEXT)
def test_cleaned_name_begins_and_ends_with_something_seen(text: str) -> None:
    cleaned = clean(text)

    assert cleaned == cleaned.strip()
    assert bool(cleaned) == bool(as_read(text))


@pytest.mark.parametrize(
    ("character", "words"),
    [
        (" ", "a space"),
        ("\n", "a tab or line break"),
        ("\u00a0", "a special space (U+00A0)"),
        ("\u200b", "an invisible character (U+200B)"),
        ("\x00", "an invisible character (U+0000)"),
        (",", "“,”"),
        ("é", "“é” (U+00E9)"),
    ],
)
def test_character_is_named_in_words(character: str, words: str) -> None:
    assert english(named(character)) == words


def test_odd_character_is_told_with_its_place() -> None:
    assert english(odd_character("ab c", "[a-c]", what="The ID")) == "The ID contains a space after “ab”."
    assert english(odd_character("-a", "[a-c]", what="The ID")) == "The ID begins with “-”."
    assert odd_character("abc", "[a-c]", what="The ID") == ""


def test_joiners_can_be_left_out_for_systems_that_cannot_hold_them() -> None:
    assert without_joiners("علی\u200cرضا") == "علیرضا"
