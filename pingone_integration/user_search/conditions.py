"""SCIM conditions as text, and the space that they take in a request."""

import json
from collections.abc import Iterable
from urllib.parse import quote


def literal(value: str) -> str:
    """Return a SCIM string: as in JSON, with escaped quotation marks, backslashes and control characters."""
    return json.dumps(value, ensure_ascii=False)


def starts_with(attribute: str, values: Iterable[str]) -> str:
    """Return the condition that the attribute starts with one of the values, "" without a value."""
    return either(f"{attribute} sw {literal(value)}" for value in dict.fromkeys(values) if value)


def either(conditions: Iterable[str]) -> str:
    """Join with `or`. Inside another condition, the result needs `both` or parentheses."""
    return " or ".join(dict.fromkeys(condition for condition in conditions if condition))


def both(first: str, second: str) -> str:
    """Join with `and`, in parentheses. "" if either is empty, because it matches nothing."""
    return f"({_grouped(first)} and {_grouped(second)})" if first and second else ""


def size_of(condition: str) -> int:
    """Return the bytes of a condition in a URL."""
    return len(quote(condition, errors="replace"))


def _grouped(condition: str) -> str:
    return f"({condition})" if " or " in condition else condition
