"""PingOne's filters, evaluated on a profile: a list without a server, quick enough for thousands of searches.

Source of the operators: PingOne API reference, Users > Read All Users, and SCIM filter language (read 2026-11).
"""

import json
import re
from collections.abc import Iterator
from typing import Any

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[()\[\]]|[^\s()\[\]]+')
_STARTS_WITH = frozenset(
    [
        "accountId",
        "email",
        "externalId",
        "mobilePhone",
        "name.formatted",
        "name.given",
        "name.middle",
        "name.family",
        "nickname",
        "primaryPhone",
        "title",
        "username",
    ]
)

Profile = dict[str, Any]


def matches(condition: str, profile: Profile) -> bool:
    """Return whether PingOne lists a user with this profile. Fails for an operator that PingOne does not document."""
    return _Reader(iter(_TOKEN.findall(condition)), profile).either()


class _Reader:
    """Recursive descent over `or`, `and`, parentheses and comparisons."""

    def __init__(self, tokens: Iterator[str], profile: Profile) -> None:
        self.tokens, self.profile = tokens, profile
        self.next = next(tokens, "")

    def take(self) -> str:
        taken, self.next = self.next, next(self.tokens, "")
        return taken

    def either(self) -> bool:
        holds = self.both()
        while self.next == "or":
            self.take()
            holds = self.both() or holds
        return holds

    def both(self) -> bool:
        holds = self.single()
        while self.next == "and":
            self.take()
            holds = self.single() and holds
        return holds

    def single(self) -> bool:
        if self.next == "(":
            self.take()
            holds = self.either()
            assert self.take() == ")"
            return holds
        attribute, operator, value = self.take(), self.take(), self.take()
        assert operator == "sw", operator
        assert attribute in _STARTS_WITH, attribute
        return _any_case(_held(self.profile, attribute)).startswith(_any_case(str(json.loads(value))))


def _held(profile: Profile, attribute: str) -> str:
    first, _, second = attribute.partition(".")
    value = profile.get(first, "")
    return str(value.get(second, "") if second and isinstance(value, dict) else value) or "\0"


def _any_case(text: str) -> str:
    return "".join(character.lower() for character in text)
