"""SCIM filters (RFC 7644, 3.4.2.2): a recursive-descent parser from text to a small tree of supported conditions.

`and` binds before `or`. A path has up to three levels; a comparison in brackets belongs to the path before them.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from uuid import UUID

from django.db.models import Q

from pingone_integration.sandbox import errors

MAX_LENGTH = 8192
MAX_DEPTH = 50  # of parentheses and brackets

_TOKEN = re.compile(r"""[ \t]*("(?:[^"\\]|\\.)*"|[()\[\]]|[^\s()\[\]"]+)""", re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_PATH = re.compile(r"([A-Za-z]+:[\w:.-]+:)?[A-Za-z][\w-]*(\.[A-Za-z][\w-]*){0,2}", re.ASCII)
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_CONSTANTS = frozenset({"true", "false", "null"})
_COMPARED = frozenset({"eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"})
_RESERVED = _CONSTANTS | _COMPARED | {"pr", "and", "or", "not"}
_END = ""

Operators = frozenset[str]
Supported = Mapping[str, Operators]  # attribute path -> operators; "memberOfGroups[id]" is a path too


@dataclass(frozen=True)
class Comparison:
    attribute: str
    operator: str
    value: str  # without quotation marks; empty for `pr`


@dataclass(frozen=True)
class All:
    parts: tuple["Node", ...]


@dataclass(frozen=True)
class AnyOf:
    parts: tuple["Node", ...]


Node = Comparison | All | AnyOf


def parse(text: str, supported: Supported) -> Node:
    """Parse a filter. Raises INVALID_DATA with INVALID_FILTER if it is unreadable or unsupported."""
    if len(text) > MAX_LENGTH:
        raise errors.invalid_filter("The filter is too long.")
    for string in _STRING.findall(text):
        _value(string)  # an unknown escape is named even if the rest cannot be read
    reader = _Reader(text)
    node = reader.either()
    if reader.next != _END:
        raise _unreadable()
    for comparison in reader.comparisons:
        _check(comparison, supported)
    return node


def _tokens(text: str) -> Iterator[str]:
    text, position = text.rstrip(" \t"), 0
    while position < len(text):
        found = _TOKEN.match(text, position)
        if not found:
            raise _unreadable()
        yield found[1]
        position = found.end()


class _Reader:
    """One method for each rule of the grammar. `next` is the token to read; `_END` after the last one."""

    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._depth = 0
        self._parents: list[str] = []  # the paths before the open brackets
        self.comparisons: list[Comparison | None] = []  # in the order of the text; None for a `not`
        self.next = next(self._tokens, _END)

    def either(self) -> Node:
        parts = [self._both()]
        while self._accept("or"):
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))

    def _both(self) -> Node:
        parts = [self._single()]
        while self._accept("and"):
            parts.append(self._single())
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _single(self) -> Node:
        if self._accept("not"):
            self.comparisons.append(None)
            return self._group("(", ")")
        if self.next == "(":
            return self._group("(", ")")
        path = self._take()
        if not _PATH.fullmatch(path) or path.lower() in _RESERVED:
            raise _unreadable()
        if self.next == "[":
            self._parents.append(path)
            inner = self._group("[", "]")
            self._parents.pop()
            return inner
        comparison = self._comparison("[".join([*self._parents, path]) + "]" * len(self._parents))
        self.comparisons.append(comparison)
        return comparison

    def _comparison(self, attribute: str) -> Comparison:
        operator = self._take().lower()
        if operator == "pr":
            return Comparison(attribute, operator, "")
        if operator not in _COMPARED:
            raise _unreadable()
        return Comparison(attribute, operator, _value(self._take()))

    def _group(self, opening: str, closing: str) -> Node:
        if self._take() != opening:
            raise _unreadable()
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise errors.invalid_filter("The filter is nested too deeply.")
        inner = self.either()
        self._depth -= 1
        if self._take() != closing:
            raise _unreadable()
        return inner

    def _accept(self, word: str) -> bool:
        if self.next.lower() != word:
            return False
        self._take()
        return True

    def _take(self) -> str:
        taken, self.next = self.next, next(self._tokens, _END)
        return taken


def _value(written: str) -> str:
    """Return a string without its escapes, or a number, true, false or null as written."""
    if written.startswith('"'):
        try:
            return str(json.loads(written, strict=False))
        except ValueError:
            raise errors.invalid_filter("A string in the filter has an unknown escape.") from None
    if written not in _CONSTANTS and not _NUMBER.fullmatch(written):
        raise _unreadable()
    return written


def _check(comparison: Comparison | None, supported: Supported) -> None:
    """Raise INVALID_FILTER unless the resource supports the attribute and its operator."""
    if comparison is None:
        operators = sorted(set().union(*supported.values()))
        raise errors.invalid_filter("not is not supported.", supportedOperators=operators)
    attribute, operator = comparison.attribute, comparison.operator
    if attribute not in supported:
        raise errors.invalid_filter(
            f"Filtering by {attribute} is not supported.", supportedAttributes=sorted(supported)
        )
    if operator not in supported[attribute]:
        raise errors.invalid_filter(
            f"{operator} is not supported for {attribute}.", supportedOperators=sorted(supported[attribute])
        )


def _unreadable() -> errors.ApiError:
    return errors.invalid_filter("The filter cannot be read.")


def as_q(node: Node, lookups: Mapping[str, str]) -> Q:
    """Return the condition of a plain resource (`eq` and `sw` only). `lookups` maps attributes to model fields."""
    if isinstance(node, Comparison):
        suffix = "__istartswith" if node.operator == "sw" else ""
        is_id = node.attribute.rpartition(".")[2] == "id"
        return Q(**{f"{lookups[node.attribute]}{suffix}": uuid_of(node.value) if is_id else node.value})
    parts = [as_q(part, lookups) for part in node.parts]
    return reduce(Q.__and__ if isinstance(node, All) else Q.__or__, parts)


def uuid_of(value: str) -> UUID:
    """Parse a UUID. Any other text becomes the nil UUID, which no object has."""
    try:
        return UUID(value)
    except ValueError:
        return UUID(int=0)
