"""The parts of users that a filter reads: their attributes and groups."""

import re
from uuid import UUID

ANY = "*"  # instead of an attribute: a filter that cannot be understood may read any

_STRING = re.compile(r'"(?:\\.|[^"\\])*"')
_NAME = re.compile(r"[A-Za-z_$][\w$:.-]*")
_WORDS = frozenset(
    ["and", "or", "not", "eq", "ne", "sw", "ew", "co", "pr", "gt", "ge", "lt", "le", "in", "true", "false", "null"]
)
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_MEMBERSHIP = "memberofgroups"


def attribute(path: str) -> str:
    """Return the attribute to which a path belongs, to compare: `name` of `name.given`.

    Parts count as the whole: PingOne may derive one part from another.
    """
    return path.partition(".")[0].partition("[")[0].casefold()


def attributes_in(condition: str) -> frozenset[str]:
    """Return the attributes that a SCIM filter reads, as of `attribute`, or ANY. Empty for an empty filter."""
    if not condition.strip():
        return frozenset()
    names = {name for name in _NAME.findall(_STRING.sub(" ", condition)) if name.casefold() not in _WORDS}
    found = frozenset(map(attribute, names))
    return found or frozenset({ANY})


def groups_in(condition: str) -> frozenset[UUID]:
    """Return the groups whose members a SCIM filter asks for."""
    if _MEMBERSHIP not in condition.casefold():
        return frozenset()
    return frozenset(UUID(found) for found in _ID.findall(condition))
