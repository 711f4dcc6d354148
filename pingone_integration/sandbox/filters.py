"""SCIM filters: the parser from text to a small tree of conditions that the resource supports.

scim2-filter-parser reads the grammar. This module adds SCIM's precedence (`and` before `or`, which the library puts on
one level) and literals with escapes (which the library's lexer does not know).
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from itertools import accumulate
from uuid import UUID

from django.db.models import Q
from scim2_filter_parser import ast
from scim2_filter_parser.lexer import SCIMLexer
from scim2_filter_parser.parser import SCIMParser, SCIMParserError

from pingone_integration.sandbox import errors

MAX_LENGTH = 8192
MAX_DEPTH = 50

_THIRD_LEVEL = re.compile(r"(\.[A-Za-z]\w*)\.(?=[A-Za-z])")  # the library's grammar has two levels
_LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)

Operators = frozenset[str]
Supported = Mapping[str, Operators]  # attribute path -> operators; "memberOfGroups[id]" is a path too


@dataclass(frozen=True)
class Comparison:
    attribute: str
    operator: str
    value: str


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
    literals: list[str] = []

    def keep(match: re.Match[str]) -> str:
        literals.append(_unescape(match[1]))
        return f'"L{len(literals) - 1}"'

    try:
        readable = _THIRD_LEVEL.sub(r"\1$", _LITERAL.sub(keep, text))
        if _depth_of(readable) > MAX_DEPTH:
            raise errors.invalid_filter("The filter is nested too deeply.")
        tree = SCIMParser().parse(SCIMLexer().tokenize(readable))
    except (SCIMParserError, ValueError, AttributeError, RecursionError):
        tree = None
    if tree is None:
        raise errors.invalid_filter("The filter cannot be read.")
    return _Reader(literals, supported).read(tree)


def _depth_of(text: str) -> int:
    return max(accumulate({"(": 1, ")": -1}.get(character, 0) for character in text), default=0)


def _unescape(literal: str) -> str:
    try:
        return str(json.loads(f'"{literal}"', strict=False))
    except ValueError:
        raise errors.invalid_filter("A string in the filter has an unknown escape.") from None


@dataclass(frozen=True)
class _Reader:
    literals: list[str]
    supported: Supported

    def read(self, tree: ast.Filter, namespace: str = "") -> Node:
        if tree.negated:
            raise errors.invalid_filter("not is not supported.", supportedOperators=self._all_operators())
        if tree.namespace is not None:
            return self.read(tree.expr, f"{self._path(tree.namespace)}[")
        expression = tree.expr
        if isinstance(expression, ast.Filter):  # in parentheses
            return self.read(expression, namespace)
        if isinstance(expression, ast.LogExpr):
            return self._read_chain(list(_flat(expression)), namespace)
        return self._comparison(expression, namespace)

    def _read_chain(self, chain: list[ast.Filter | str], namespace: str) -> Node:
        """Read a chain such as `a or b and c`: split it at each `or` first."""
        groups: list[list[Node]] = [[]]
        for link in chain:
            if link == "or":
                groups.append([])
            elif not isinstance(link, str):
                groups[-1].append(self.read(link, namespace))
        parts = tuple(group[0] if len(group) == 1 else All(tuple(group)) for group in groups)
        return parts[0] if len(parts) == 1 else AnyOf(parts)

    def _comparison(self, expression: ast.AttrExpr, namespace: str) -> Node:
        attribute = self._path(expression.attr_path)
        if isinstance(expression.attr_path.attr_name, ast.Filter):  # memberOfGroups[...] eq "..."
            raise errors.invalid_filter("The filter cannot be read.")
        attribute = f"{namespace}{attribute}]" if namespace else attribute
        operator = expression.value.lower()
        if attribute not in self.supported:
            raise errors.invalid_filter(
                f"Filtering by {attribute} is not supported.", supportedAttributes=sorted(self.supported)
            )
        if operator not in self.supported[attribute]:
            raise errors.invalid_filter(
                f"{operator} is not supported for {attribute}.",
                supportedOperators=sorted(self.supported[attribute]),
            )
        return Comparison(attribute, operator, self._value(expression.comp_value.value))

    def _value(self, written: str) -> str:
        """Return a value. parse() replaced strings by "L0", "L1"...; numbers, true, false and null are unchanged."""
        return self.literals[int(written[1:])] if written.startswith("L") else written

    def _path(self, path: ast.AttrPath) -> str:
        if isinstance(path.attr_name, ast.Filter):
            return "["
        name = f"{path.uri}:{path.attr_name}" if path.uri else str(path.attr_name)
        return f"{name}.{path.sub_attr.value.replace('$', '.')}" if path.sub_attr else name

    def _all_operators(self) -> list[str]:
        return sorted(set().union(*self.supported.values()))


def _flat(expression: ast.LogExpr) -> Iterator[ast.Filter | str]:
    """Yield operands and operators from left to right. An operand in parentheses stays whole."""
    for position, operand in enumerate((expression.expr1, expression.expr2)):
        if position:
            yield expression.op.lower()
        bare = operand.namespace is None and not operand.negated
        if bare and isinstance(operand.expr, ast.LogExpr):
            yield from _flat(operand.expr)
        else:
            yield operand


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
