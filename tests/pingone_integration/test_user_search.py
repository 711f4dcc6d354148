"""From the typed search text to a SCIM filter. A SCIM parser reads each filter back."""

import json
import re
from contextlib import suppress
from itertools import accumulate
from urllib.parse import quote
from uuid import UUID

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from pingone_integration.user_search import MAX_FILTER_BYTES, BadFilter, Criteria, filter_of, literal, user_id_in
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


@pytest.mark.parametrize("text", ["mara.lind@acme.test", " mara.lind@acme.test ", "Mara Lind <mara.lind@acme.test>"])
def test_address_is_searched_as_email_and_username(text):
    assert text_filter(text) == 'email sw "mara.lind@acme.test" or username sw "mara.lind@acme.test"'


def test_address_copied_from_a_link_loses_its_scheme():
    assert strings_in(text_filter("mailto:mara@acme.test")) == ["mara@acme.test"] * 2


def test_word_is_the_beginning_of_a_username_an_address_or_a_name():
    assert text_filter("mar") == 'username sw "mar" or email sw "mar" or name.given sw "mar" or name.family sw "mar"'


@pytest.mark.parametrize("text", ["mara li", "li, mara", "  mara   li "])
def test_two_words_are_given_and_family_name_in_either_order(text):
    found = text_filter(text)

    assert '(name.given sw "mara" and name.family sw "li")' in found
    assert '(name.given sw "li" and name.family sw "mara")' in found


def test_three_words_give_two_to_either_name():
    found = text_filter("anna maria berg")

    assert '(name.given sw "anna maria" and name.family sw "berg")' in found
    assert '(name.given sw "anna" and name.family sw "maria berg")' in found


def test_phone_number_is_searched_in_the_spellings_of_people_and_pingone():
    spellings = strings_in(text_filter("+46 70-123 45 67"))

    assert {"+46 70-123 45 67", "+46701234567", "+46.701234567", "0046701234567", "0701234567"} <= set(spellings)


@pytest.mark.parametrize(
    ("typed", "spelling"),
    [
        ("+1 (555) 010-0199", "+1.5550100199"),
        ("0046 70 123 45 67", "+46.701234567"),
        ("+358 40 1234567", "+358.401234567"),
        ("+44 (0)20 7946 0000", "+44.2079460000"),
        ("070-123 45 67", "0701234567"),
    ],
)
def test_phone_number_is_searched_for_any_country(typed, spelling):
    assert f'mobilePhone eq "{spelling}"' in text_filter(typed)
    assert f'primaryPhone eq "{spelling}"' in text_filter(typed)


def test_digits_alone_may_be_a_username():
    assert 'username sw "100045"' in text_filter("100045")


def test_few_digits_are_not_a_phone_number():
    assert text_filter("1234").startswith('username sw "1234" or email sw "1234"')


@pytest.mark.parametrize("text", [str(ADA), f" {str(ADA).upper()} "])
def test_pasted_id_is_recognized(text):
    assert user_id_in(text) == ADA


@pytest.mark.parametrize("text", ["", "mara", f"{ADA} mara", str(ADA)[:-1], str(ADA).replace("-", ""), f"{{{ADA}}}"])
def test_incomplete_id_is_searched_as_text(text):
    assert user_id_in(text) is None


def test_criteria_narrow_each_other():
    criteria = Criteria(text="mara", population_id=STAFF, group_id=ENGINEERS, enabled=False)

    assert filter_of(criteria) == (
        '(username sw "mara" or email sw "mara" or name.given sw "mara" or name.family sw "mara")'
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


@pytest.mark.parametrize("criteria", [Criteria(text="é" * 256), Criteria(raw_filter=f'title eq "{"x" * 4000}"')])
def test_search_that_would_not_fit_into_the_headers_is_refused(criteria):
    with pytest.raises(BadFilter, match="too long"):
        filter_of(criteria)


@given(st.one_of(anything, tricky))
@example('" or username sw "')
@example("\\")
@example('\\"')
def test_text_never_escapes_from_its_string(text):
    assert json.loads(literal(text)) == text
    condition = f"username sw {literal(text)}"
    assert strings_in(condition) == [text]


@given(st.one_of(anything, tricky))
@example('a" or enabled eq true or username sw "b')
@example('x\\" c')
@example(", ,")
@example('"@')
def test_search_text_never_changes_the_shape_of_the_filter(text):
    assume(text.strip())
    condition = filter_of(Criteria(text=text, enabled=True))

    skeleton = re.sub(r'"(?:[^"\\]|\\.)*"', "S", condition)
    clause = r"\(?(username|email|name\.\w+|mobilePhone|primaryPhone) (sw|eq) S\)?"
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
