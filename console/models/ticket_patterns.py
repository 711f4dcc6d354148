r"""Ticket patterns: a small part of regular expressions that cannot run for long (ReDoS), and an example of each.

A pattern is one or more alternatives (`CHG\d+|INC\d+`) of characters, escaped punctuation, `\d`, `\w`, `.` and classes
(`[A-Z]`), which may repeat (`*`, `+`, `?`, `{5}`, `{3,5}`). It has no groups, look-around or back references, and a
digit is an ASCII digit. With at most three open repetitions, a match takes at most about length³ / 6 steps.
"""

import re
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

LONGEST = 200  # characters of a pattern
_MOST_REPETITIONS = 3  # in one alternative; a fixed number, as in \d{5}, does not count
_LONGEST_EXAMPLE_RUN = 5  # characters that an open repetition shows

_TOKEN = re.compile(
    r"""(?P<escape>\\.)
    | (?P<class>\[\^?(?:\\.|[^\]\\])+\])
    | (?P<repeat>[*+?]|\{\d{1,3}(?:,\d{0,3})?\})
    | (?P<bar>\|)
    | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_DIGITS = "1234567890"


@dataclass
class _Element:
    """A character of a pattern: examples of it, and how often it repeats."""

    examples: str
    least: int = 1
    most: int | None = 1  # None: without a limit


def matches(pattern: str, ticket: str) -> bool:
    """Return whether the whole ticket matches. Raises ValidationError for a pattern that is not allowed."""
    _alternatives(pattern)
    return re.fullmatch(pattern, ticket, re.ASCII) is not None


def validate_ticket_pattern(pattern: str) -> None:
    """Raise ValidationError, with the reason, for a pattern that is not allowed."""
    _alternatives(pattern)


def example_of(pattern: str) -> str:
    r"""Return a ticket that matches the pattern, for example INC12345 for `INC\d+`, or "" if none is known."""
    try:
        first = _alternatives(pattern)[0]
    except ValidationError:
        return ""
    shown = "".join(
        element.examples[position % len(element.examples)]
        for element in first
        for position in range(_shown_times(element))
    )
    return shown if re.fullmatch(pattern, shown, re.ASCII) else ""


def _shown_times(element: _Element) -> int:
    if element.most in {element.least, 1}:
        return element.least
    longest = max(element.least, _LONGEST_EXAMPLE_RUN)
    return longest if element.most is None else min(element.most, longest)


def _alternatives(pattern: str) -> list[list[_Element]]:
    if len(pattern) > LONGEST:
        raise ValidationError(format_lazy(_("Use at most {most} characters."), most=LONGEST))
    found: list[list[_Element]] = [[]]
    after_repetition = False
    for token in _TOKEN.finditer(pattern):
        written, kind = token[0], token.lastgroup
        if kind == "bar":
            found.append([])
        elif kind == "repeat":
            if not found[-1] or after_repetition:
                raise ValidationError(format_lazy(_("Put a character before {repetition}."), repetition=written))
            _repeat(found[-1][-1], written)
        else:
            found[-1].append(_Element(_examples(written, kind)))
        after_repetition = kind == "repeat"
    for elements in found:
        if sum(element.least != element.most for element in elements) > _MOST_REPETITIONS:
            raise ValidationError(
                format_lazy(_("Use at most {most} repetitions (*, +, ?, {{3,5}})."), most=_MOST_REPETITIONS)
            )
    try:
        re.compile(pattern, re.ASCII)
    except re.error as error:
        raise ValidationError(format_lazy(_("This is not a regular expression: {error}."), error=str(error))) from None
    return found


def _repeat(element: _Element, written: str) -> None:
    if written[0] in "*+?":
        element.least, element.most = {"*": (0, None), "+": (1, None), "?": (0, 1)}[written]
        return
    least, comma, most = written[1:-1].partition(",")
    element.least = int(least)
    element.most = int(most) if most else None if comma else element.least


def _examples(written: str, kind: str | None) -> str:
    """Return characters that the element matches. Raises ValidationError for an element that is not allowed."""
    if kind == "escape":
        if written in {r"\d", r"\w"}:
            return _DIGITS
        if written[1].isalnum():
            raise ValidationError(
                format_lazy(_("Leave out {escape}. Use \\d for a digit and \\w for a letter."), escape=written)
            )
        return written[1]
    if kind == "class":
        _check_class(written)
        likely = _DIGITS + "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_#/.: "
        return "".join(re.findall(written, likely, re.ASCII)) or "?"
    if written in "()":
        raise ValidationError(_("Leave out the parentheses ( ). Use a pattern like INC\\d+ or CHG\\d+|INC\\d+."))
    if written in "[]{}^$\\":
        raise ValidationError(
            format_lazy(_("Put a backslash before {character} if a ticket has it."), character=written)
        )
    return "1" if written == "." else written


def _check_class(written: str) -> None:
    inside = re.sub(r"\\[dw]|\\[^a-zA-Z0-9]", "", written[1:-1])
    if re.search(r"\\|\[|--|&&|\|\||~~", inside):
        raise ValidationError(
            format_lazy(_("{written} is not a list of characters like [A-Z] or [0-9-]."), written=written)
        )
    try:
        re.compile(written, re.ASCII)
    except re.error as error:
        raise ValidationError(
            format_lazy(_("{written} is not a list of characters: {error}."), written=written, error=str(error))
        ) from None
