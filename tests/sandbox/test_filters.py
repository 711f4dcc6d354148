"""The sandbox's filter parser: precedence, brackets, escapes, and what it refuses."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pingone_integration.sandbox.errors import ApiError
from pingone_integration.sandbox.filters import MAX_DEPTH, MAX_LENGTH, All, AnyOf, Comparison, Node, parse

SUPPORTED = {
    "username": frozenset({"eq", "sw"}),
    "enabled": frozenset({"eq"}),
    "address.geo.city": frozenset({"eq"}),
    "memberOfGroups[id]": frozenset({"eq"}),
}
A, B, C = (Comparison("username", "eq", letter) for letter in "abc")
WRITTEN = 'username eq "a"', 'username eq "b"', 'username eq "c"'


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("{a} or {b} and {c}", AnyOf((A, All((B, C))))),
        ("{a} and {b} or {c}", AnyOf((All((A, B)), C))),
        ("({a} or {b}) and {c}", All((AnyOf((A, B)), C))),
        ("{a} AND ({b} And ({c}))", All((A, All((B, C))))),
        ("\t{a}or {b}or({c}) ", AnyOf((A, B, C))),
        ('memberOfGroups[id eq "x"]', Comparison("memberOfGroups[id]", "eq", "x")),
        (
            'memberOfGroups [ (id eq "x") or id EQ "y" ] and {a}',
            All((AnyOf(tuple(Comparison("memberOfGroups[id]", "eq", one) for one in "xy")), A)),
        ),
        ('address.geo.city eq "x"', Comparison("address.geo.city", "eq", "x")),
        ("enabled eq true", Comparison("enabled", "eq", "true")),
        ("enabled eq null", Comparison("enabled", "eq", "null")),
        ("enabled eq -1.5e3", Comparison("enabled", "eq", "-1.5e3")),
        (r'username sw "a\"b\\c\u00e9\n) or ["', Comparison("username", "sw", 'a"b\\cé\n) or [')),
    ],
)
def test_filter_becomes_a_tree(text: str, tree: Node) -> None:
    written = dict(zip("abc", WRITTEN, strict=True))
    for name, comparison in written.items():
        text = text.replace(f"{{{name}}}", comparison)

    assert parse(text, SUPPORTED) == tree


def deep(levels: int) -> str:
    return "(" * levels + WRITTEN[0] + ")" * levels


UNREADABLE = r"""
username
username eq
username eq a
username eq "a" "b"
username eq "a
(username eq "a"
username eq "a")
()
and
username eq "a" or
or username eq "a"
not username eq "a"
eq eq "a"
true eq "a"
username is "a"
username eq TRUE
a.b.c.d eq "x"
a..b eq "x"
.a eq "x"
memberOfGroups[]
memberOfGroups[id eq "x"
memberOfGroups[id eq "x"].id eq "y"
memberOfGroups[id eq "x"] eq "y"
username eq (username eq "a")
username eq 01x
not
$ eq "a"
"""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        *((text, "The filter cannot be read.") for text in ["", *UNREADABLE.split("\n")[1:-1]]),
        ('username\u00a0eq "a"', "The filter cannot be read."),
        ('username\neq "a"', "The filter cannot be read."),
        (r'username eq "\q" and', "A string in the filter has an unknown escape."),
        (f'not ({WRITTEN[0]} and title eq "x")', "not is not supported."),
        (f'title eq "x" and not ({WRITTEN[0]})', "Filtering by title is not supported."),
        ("username pr", "pr is not supported for username."),
        ('username co "a" or title eq "x"', "co is not supported for username."),
        ('memberOfGroups.id eq "x"', "Filtering by memberOfGroups.id is not supported."),
        ('x[memberOfGroups[id eq "x"]]', "Filtering by x[memberOfGroups[id]] is not supported."),
        ('urn:acme:schema:User:username eq "a"', "Filtering by urn:acme:schema:User:username is not supported."),
        (deep(MAX_DEPTH + 1), "The filter is nested too deeply."),
        ("a[" * 2000, "The filter is nested too deeply."),
        ("not (" * 1500, "The filter is nested too deeply."),
        ("x" * (MAX_LENGTH + 1), "The filter is too long."),
    ],
)
def test_filter_is_refused_in_words(text: str, message: str) -> None:
    with pytest.raises(ApiError) as refused:
        parse(text, SUPPORTED)

    assert [detail["message"] for detail in refused.value.details] == [message]


def test_depth_is_counted_not_the_number_of_parentheses() -> None:
    assert parse(deep(MAX_DEPTH), SUPPORTED) == A
    assert parse(" or ".join([deep(2)] * 200), SUPPORTED) == AnyOf((A,) * 200)


comparisons = st.builds(
    Comparison,
    st.sampled_from(["username", "memberOfGroups[id]", "address.geo.city"]),
    st.just("eq"),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
)
trees: Any = st.recursive(
    comparisons,
    lambda parts: st.builds(
        lambda kind, two: kind(tuple(two)), st.sampled_from([All, AnyOf]), st.lists(parts, min_size=2, max_size=3)
    ),
    max_leaves=12,
)


def printed(node: Node) -> str:
    if isinstance(node, Comparison):
        value = json.dumps(node.value, ensure_ascii=False)
        path, bracket, inner = node.attribute.removesuffix("]").partition("[")
        return f"{path}[{inner} {node.operator} {value}]" if bracket else f"{path} {node.operator} {value}"
    if isinstance(node, AnyOf):  # what binds more closely needs no parentheses
        return " or ".join(f"({printed(part)})" if isinstance(part, AnyOf) else printed(part) for part in node.parts)
    return " and ".join(printed(part) if isinstance(part, Comparison) else f"({printed(part)})" for part in node.parts)


@given(trees)
def test_printed_filter_is_parsed_back(tree: Node) -> None:
    assert parse(printed(tree), SUPPORTED) == tree


@given(
    st.lists(
        st.sampled_from([*'()[]"', "and", "or", "not", "pr", "eq", "username", "true", "é", *WRITTEN]), max_size=12
    )
)
def test_any_text_is_parsed_or_refused(words: list[str]) -> None:
    with suppress(ApiError):
        parse(" ".join(words), SUPPORTED)
