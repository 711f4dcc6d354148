"""From the typed search text to a SCIM filter. A SCIM parser reads each filter back."""

import json
import re
from contextlib import suppress
from itertools import accumulate
from urllib.parse import quote
from uuid import UUID

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from pingone_integration.user_search import BadFilter, Criteria, filter_of, literal, search_of
from pingone_integration.user_search.conditions import size_of
from pingone_integration.user_search.filters import MAX_FILTER_BYTES
from tests.support.filter_tokens import tokens_of

ADA = UUID("c0a8f3d2-41b7-4e9a-9d0e-7b6a5c4d3e21")
STAFF = UUID("0d9e8f7a-1b2c-4d3e-8f90-a1b2c3d4e5f6")
ENGINEERS = UUID("7f6e5d4c-3b2a-4190-8f7e-6d5c4b3a2910")

anything = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
tricky = st.text(st.sampled_from('"\\()[] aé,@+07.\n'), max_size=30)


def strings_in(condition: str) -> list[str]:
    return [json.loads(token) for token in tokens_of(condition) if token.startswith('"')]


def text_filter(text: str) -> str:
    return filter_of(Criteria(text=text))


def test_filter_is_empty_without_criteria():
    assert filter_of(Criteria(text="  ", raw_filter=" ")) == ""


def test_criteria_narrow_each_other():
    criteria = Criteria(text="QX-77@acme.test", population_id=STAFF, group_id=ENGINEERS, enabled=False)

    assert filter_of(criteria) == (
        f"({text_filter('QX-77@acme.test')})"
        f' and population.id eq "{STAFF}" and memberOfGroups[id eq "{ENGINEERS}"] and enabled eq false'
    )


def test_raw_filter_is_sent_unchanged():
    assert filter_of(Criteria(raw_filter=' title eq "Analyst" ')) == 'title eq "Analyst"'


def test_raw_filter_stays_a_single_condition_among_others():
    criteria = Criteria(raw_filter='title eq "A" or title eq "B"', enabled=True)

    assert filter_of(criteria) == '(title eq "A" or title eq "B") and enabled eq true'


@pytest.mark.parametrize(
    ("raw", "complaint"),
    [
        ('title eq "A', "A closing quotation mark is missing."),
        ('title eq "A\\"', "A closing quotation mark is missing."),
        ('(title eq "A"', "The closing bracket for “(” is missing."),
        ('title eq "A") or (enabled eq true', "The opening bracket for “)” is missing."),
        ('memberOfGroups[id eq "x")', "The opening bracket for “)” is missing."),
    ],
)
def test_unbalanced_raw_filter_is_refused_before_the_call(raw, complaint):
    with pytest.raises(BadFilter, match=re.escape(complaint)):
        filter_of(Criteria(raw_filter=raw))


@pytest.mark.parametrize(("length", "text"), [(4_000, ""), (4_000, "mara"), (2_700, "mara")])
def test_scim_filter_that_leaves_no_room_is_refused_and_never_shortened(length, text):
    with pytest.raises(BadFilter, match="SCIM filter"):
        filter_of(Criteria(raw_filter=f'title eq "{"x" * length}"', text=text))


@given(st.one_of(anything, tricky))
@example('" or username sw "')
@example("\\")
@example('\\"')
def test_text_never_escapes_from_its_string(text):
    assert json.loads(literal(text)) == text
    condition = f"username sw {literal(text)}"
    assert strings_in(condition) == [text]


@settings(deadline=None, max_examples=30)
@given(st.one_of(anything, tricky))
@example('a" or enabled eq true or username sw "b')
@example('x\\" c')
@example(", ,")
@example('"@')
def test_search_text_never_changes_the_shape_of_the_filter(text):
    assume(text.strip())
    condition = filter_of(Criteria(text=text, enabled=True))

    skeleton = re.sub(r'"(?:[^"\\]|\\.)*"', "S", condition)
    clause = r"\(*(username|email|name\.\w+|nickname|accountId|externalId|mobilePhone|primaryPhone) sw S\)*"
    assert re.fullmatch(rf"\({clause}( (and|or) {clause})*\) and enabled eq true", skeleton)
    assert len(quote(condition)) <= MAX_FILTER_BYTES


@given(
    st.one_of(anything, tricky, st.lists(st.sampled_from(['title eq "a"', '"', "(", ")", "or", "\\"])).map(" ".join))
)
@example('title eq "a") or (title eq "b"')
@example('title eq "a\\" ) or (title eq "b"')
def test_raw_filter_never_bypasses_the_other_criteria(raw):
    assume(raw.strip())
    with suppress(BadFilter, ValueError):  # ValueError: no SCIM at all, which is PingOne's to refuse
        tokens = tokens_of(filter_of(Criteria(raw_filter=raw, enabled=True)))
        opened = accumulate({"(": 1, ")": -1}.get(token, 0) for token in tokens)
        assert tokens[-5:] == [")", "and", "enabled", "eq", "true"]
        assert list(opened).index(0) == len(tokens) - 5


OTHERS = [UUID(int=number) for number in range(1, 21)]


@pytest.mark.parametrize(
    ("criteria", "sent"),
    [
        ({"populations": frozenset({STAFF})}, f'population.id eq "{STAFF}"'),
        (
            {"populations": frozenset(OTHERS[:2])},
            f'population.id eq "{OTHERS[0]}" or population.id eq "{OTHERS[1]}"',
        ),
        (
            {"populations": frozenset(OTHERS[:2]), "enabled": True},
            f'(population.id eq "{OTHERS[0]}" or population.id eq "{OTHERS[1]}") and enabled eq true',
        ),
        ({"populations": frozenset({STAFF, *OTHERS[:2]}), "population_id": STAFF}, f'population.id eq "{STAFF}"'),
    ],
)
def test_search_is_limited_to_populations(criteria, sent):
    found = search_of(Criteria(**criteria))

    assert found.scim == sent
    assert not found.matches_nobody
    assert found.populations == criteria["populations"]


@pytest.mark.parametrize(
    "criteria", [{"populations": frozenset()}, {"populations": frozenset({STAFF}), "population_id": OTHERS[0]}]
)
def test_search_without_a_population_left_matches_nobody(criteria):
    assert search_of(Criteria(text="mara", **criteria)).matches_nobody


def test_typed_filter_stays_inside_the_populations():
    raw = 'username sw "a" or username sw "b"'

    assert search_of(Criteria(raw_filter=raw, populations=frozenset({STAFF}))).scim == (
        f'({raw}) and population.id eq "{STAFF}"'
    )
    with pytest.raises(BadFilter):
        search_of(Criteria(raw_filter=f"{raw}) or (enabled eq true", populations=frozenset({STAFF})))


@pytest.mark.parametrize("text", ["mara", "Mara Elin Lind", "+46701234567", "x" * 800, "Ü" * 300])
def test_search_in_twenty_populations_still_fits(text):
    found = search_of(Criteria(text=text, populations=frozenset(OTHERS)))

    assert size_of(found.scim) <= MAX_FILTER_BYTES
    assert all(f'population.id eq "{one}"' in found.scim for one in OTHERS)
