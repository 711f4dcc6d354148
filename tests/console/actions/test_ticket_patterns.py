"""Ticket patterns: which are allowed, how long they can run, and the example that a page shows."""

import re
from re import _constants, _parser  # type: ignore[attr-defined]  # the parse tree: the only proof of what a pattern is
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from console.models import Organization, TicketPolicy
from console.models.ticket_patterns import example_of, matches, validate_ticket_pattern

ALLOWED = {
    r"INC\d+": "INC12345",
    r"[A-Z]+-\d+": "ABCDE-12345",
    r"CHG\d{5}|INC\d+": "CHG12345",
    r"#\d{3,}": "#12345",
    r"a\(b\)": "a(b)",
    r"\w+\.\d?": "12345.",
    r"[\w.-]{3,8}": "12345",
    r"REQ-\d{2}-\d{4}": "REQ-12-1234",
}
REFUSED = [
    r"(a+)+",
    r"\\(a+)+",  # an escaped backslash, and then a group
    r"\\\\(a|a)*",
    r"\d*\d*\d*\d*",
    r"(?=a)a",
    r"(a)\1",
    r"\1",
    r"\bINC",
    r"^INC\d+$",
    r"[a-z",
    r"[a&&b]",
    r"a**",
    r"a+?",
    r"a++",
    r"*a",
    r"a{2,1}",
    r"{3}",
]


@pytest.mark.parametrize(("pattern", "example"), ALLOWED.items())
def test_allowed_pattern_has_an_example_that_matches(pattern: str, example: str) -> None:
    validate_ticket_pattern(pattern)

    assert example_of(pattern) == example
    assert matches(pattern, example)


@pytest.mark.parametrize("pattern", REFUSED)
def test_dangerous_or_invalid_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(ValidationError):
        validate_ticket_pattern(pattern)


def test_digits_are_ascii_and_the_whole_ticket_counts() -> None:
    assert not matches(r"INC\d+", "INC\u0661\u0662")
    assert not matches(r"INC\d+", "INC1 or so")
    assert not matches(r"CHG\d+|INC\d+", "CHG1INC1")


@given(st.text(alphabet=r"\()[]{}*+?|^$.-,:=!<>PdwbsADZaB12&~#", max_size=14))
def test_accepted_pattern_cannot_run_for_long(pattern: str) -> None:
    try:
        validate_ticket_pattern(pattern)
    except ValidationError:
        return

    tree = _parser.parse(pattern, re.ASCII)
    alternatives = tree[0][1][1] if len(tree) == 1 and tree[0][0] is _constants.BRANCH else [tree]
    for alternative in alternatives:
        assert open_repetitions(alternative) <= 3
    assert not example_of(pattern) or matches(pattern, example_of(pattern))


def open_repetitions(tree: Any) -> int:
    """Return how many parts repeat a variable number of times. Fail for anything that could backtrack in other ways."""
    count = 0
    for kind, content in tree:
        assert kind in {
            *(_constants.LITERAL, _constants.NOT_LITERAL, _constants.ANY, _constants.IN),
            *(_constants.MAX_REPEAT, _constants.BRANCH),
        }, kind
        if kind is _constants.MAX_REPEAT:
            least, most, (repeated,) = content
            assert repeated[0] not in {_constants.MAX_REPEAT, _constants.BRANCH}
            count += least != most
        if kind is _constants.BRANCH:
            count += max(open_repetitions(branch) for branch in content[1])
    return count


def test_stored_pattern_that_is_no_longer_allowed_refuses_every_ticket(acme: Organization) -> None:
    policy = TicketPolicy(organization=acme, action="user.unlock", requirement="pattern", pattern=r"\\(a+)+")

    assert "An org admin can change it" in str(policy.problem_with("a" * 100 + "!"))
