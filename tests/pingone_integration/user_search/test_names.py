"""Whoever is listed is found by the name shown: in either order, with or without the middle name."""

from itertools import product
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from pingone_integration.sandbox.seed.names import FAMILY, GIVEN, LONG
from pingone_integration.user_search import Criteria, Search, search_of
from pingone_integration.user_search.conditions import size_of
from pingone_integration.user_search.filters import MAX_FILTER_BYTES
from pingone_integration.users import Name
from tests.support.user_filters import Profile, matches

STAFF = UUID("0d9e8f7a-1b2c-4d3e-8f90-a1b2c3d4e5f6")

QUICK = settings(  # shrinking would take minutes
    deadline=None, phases=[Phase.explicit, Phase.generate], suppress_health_check=[HealthCheck.too_slow]
)

invented = st.sampled_from([*(name for name, _latin in (*GIVEN, *FAMILY)), "O’Shea", "Jean‑Luc", "Ana María del Mar"])  # noqa: RUF001
letters = st.characters(categories=["L", "M", "N"])
any_part = st.lists(
    st.text(letters | st.sampled_from("'’-–.,()\"@"), min_size=1, max_size=60), min_size=1, max_size=6  # noqa: RUF001
).map(lambda words: " ".join(words)[:256].strip())  # fmt: skip
part = invented | any_part


def profile_of(given_name: str = "", middle: str = "", family: str = "", **more: str) -> Profile:
    name = {"given": given_name, "middle": middle, "family": family}
    return {"username": "zz.somebody", "name": {key: value for key, value in name.items() if value}, **more}


def search(text: str, **criteria: Any) -> Search:
    return search_of(Criteria(text=text, **criteria))


def finds(text: str, profile: Profile) -> bool:
    return matches(search(text).scim, profile)


def orders_of(profile: Profile) -> list[str]:
    """Return the ways to write a name."""
    first, middle, last = (profile["name"].get(key, "") for key in ("given", "middle", "family"))
    written = [f"{first} {last}", f"{last} {first}", f"{last}, {first}"]
    if middle:
        written += [f"{first} {middle} {last}", f"{last} {first} {middle}", f"{last}, {first} {middle}"]
    return written


@settings(QUICK, max_examples=40)
@given(part, st.just("") | part, part, st.data())
@example("Mara", "Elin", "Lind", None)
@example(LONG[:256].strip(), LONG[:255].strip(), LONG[:255].strip()[::-1], None)
@example("佐" * 256, "", "王" * 256, None)
def test_name_finds_its_user_in_either_order_and_with_every_letter_more(first, middle, last, data):
    profile = profile_of(first, middle, last)
    assert str(Name(given=first, middle=middle, family=last)) == orders_of(profile)[0]  # the name shown
    for text in orders_of(profile):
        ends = range(1, len(text) + 1) if data is None else [data.draw(st.integers(1, len(text))), len(text)]
        for end in ends[:: max(1, len(ends) // 40)] if data is None else ends:
            if text[:end].strip():
                assert finds(text[:end], profile), text[:end]
        assert finds(text, profile)


@settings(QUICK, max_examples=20)
@given(part, part)
def test_formatted_name_alone_finds_its_user(first, last):
    formatted = f"{first} {last}"[:256].strip()
    assert finds(formatted, {"username": "zz", "name": {"formatted": formatted}})


@settings(QUICK, max_examples=30)
@given(st.lists(part, min_size=1, max_size=5), st.booleans())
@example(["a " * 400], True)
@example(["é" * 700], True)
@example(["\U0001f9d1" * 300, "x"], True)
def test_search_is_shortened_instead_of_refused_and_keeps_its_other_conditions(parts, narrowed):
    text = " ".join(parts)
    criteria = {"population_id": STAFF, "group_id": STAFF, "enabled": False} if narrowed else {}
    found = search(text, **criteria)

    assert size_of(found.scim) <= MAX_FILTER_BYTES
    if narrowed:
        assert found.scim.endswith(
            f' and population.id eq "{STAFF}" and memberOfGroups[id eq "{STAFF}"] and enabled eq false'
        )


@pytest.mark.parametrize("text", ["Mara Lind", "Lind Mara", "Mara Elin Lind", "Lind, Mara Elin", "Elin Lind", "Mara E"])
def test_every_word_counts_or_the_search_says_what_it_left_out(text):
    mara = profile_of("Mara", "Elin", "Lind")

    assert finds(text, mara)
    assert not finds(f"{text} Nobody", mara)
    assert not search(text).shortened_to


def test_shortened_search_says_what_is_left_of_it():
    text = "Ana Beatriz Carolina Daniela Eduarda Fernanda Gabriela"

    found = search(text)

    assert found.shortened_to.startswith("Ana Beatriz Carolina")
    assert text.startswith(f"{found.shortened_to} ")
    assert matches(found.scim, profile_of("Ana Beatriz Carolina Daniela", "", "Eduarda Fernanda Gabriela"))


@pytest.mark.parametrize("form", "'’ʼ")  # noqa: RUF001
@pytest.mark.parametrize("typed", "'’ʼ‘`´′")  # noqa: RUF001
def test_apostrophes_of_every_form_find_each_other(form, typed):
    assert finds(f"O{typed}Quill", profile_of(f"O{form}Quill", "", "Berg"))
    assert finds(f"D{typed}Arcy Lind", profile_of(f"D{form}Arcy", "", "Lind"))
    if form != "’":  # noqa: RUF001 - PingOne takes it in given names only
        assert finds(f"Tess O{typed}Quill", profile_of("Tess", "", f"O{form}Quill"))


@pytest.mark.parametrize("form", "-‐‑–")  # noqa: RUF001
@pytest.mark.parametrize("typed", "-‐‑–—−")  # noqa: RUF001
def test_dashes_of_every_form_find_each_other(form, typed):
    assert finds(f"Jean{typed}Luc", profile_of(f"Jean{form}Luc", "", "Berg"))


@pytest.mark.parametrize(
    ("typed", "stored"), [("Zoe\u0308", "Zo\u00eb"), ("Zo\u00eb", "Zo\u00eb"), ("Zoe\u0308", "Zoe\u0308")]
)
def test_text_is_searched_in_the_composed_form_and_as_typed(typed, stored):
    assert finds(typed, profile_of(stored))


@pytest.mark.parametrize("mark", "\u200b\u200e\u202e\ufeff\u00ad\u2060")
def test_invisible_marks_in_a_pasted_name_are_no_part_of_it(mark):
    assert finds(f"{mark}Ma{mark}ra Lind{mark}", profile_of("Mara", "", "Lind"))


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        *product(["muller", "mueller", "Müller", "MUELLER", "Mu\u0308ller"], ["Müller"]),
        *product(["Müller"], ["Mueller", "Muller"]),
        *product(["sjostrom", "sjöström", "Sjoestroem"], ["Sjöström"]),
        *product(["gross", "groß"], ["Groß"]),
        *product(["Groß"], ["Gross"]),
        *product(["Łukasz", "Ødegård"], ["Lukasz", "Odegard"]),
    ],
)
def test_accents_and_their_usual_replacements_find_each_other(typed, stored):
    if (typed[0].casefold(), stored[0].casefold()) in {("ł", "o"), ("ø", "l")}:
        return
    assert finds(typed, profile_of("Anna", "", stored))
    assert finds(f"Anna {typed}", profile_of("Anna", "", stored))


@pytest.mark.parametrize("attribute", ["nickname", "accountId", "externalId", "username", "email"])
def test_identifier_or_nickname_finds_its_user(attribute):
    assert finds("QX-77", profile_of("Mara", "", "Lind", **{attribute: "qx-7788"}))
