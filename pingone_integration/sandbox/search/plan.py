"""The query plan of a user filter: a list of index ranges to walk in turn, with a test of each row.

The comparisons of a plan together cover every match. Each walk skips the matches of earlier walks, so every match is
visited once, in an order that a cursor can name (keyset pagination). Without a usable index, the plan walks the whole
environment by username, which is fast for conditions that many users meet.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from pingone_integration.sandbox.filters import All, AnyOf, Comparison, Node
from pingone_integration.sandbox.models import User
from pingone_integration.sandbox.search.conditions import INDEXED, NOTHING, Walk, environment_test, test_of, walk_of

COUNTED = 2_000  # above this, a result is "large": PingOne omits its count

COARSE = frozenset({"population.id", "enabled"})  # attributes that split all users into a few large parts

Key = tuple[str, ...]
Branches = tuple[Comparison, ...]
EVERYONE = Walk(Q(), ("username_key",))


@dataclass(frozen=True)
class Position:
    """The place of a row in the order of a plan."""

    branch: int
    key: Key


@dataclass(frozen=True)
class Row:
    user: User
    position: Position


class Sizes:
    """The sizes of index ranges, up to just above COUNTED. Each range is counted once."""

    def __init__(self, environment_id: UUID) -> None:
        self.environment_id = environment_id
        self._known: dict[Comparison | None, int] = {}

    def total(self, branches: Branches) -> int:
        """Return the size of all branches, or of the environment if there are none. Inexact above COUNTED."""
        total = 0
        for comparison in branches or (None,):
            if total <= COUNTED:
                total += self._of(comparison)
        return total

    def _of(self, comparison: Comparison | None) -> int:
        if comparison not in self._known:
            walk = (walk_of(comparison) if comparison else None) or EVERYONE
            self._known[comparison] = self._entries(walk)[: COUNTED + 1].count()
        return self._known[comparison]

    def _entries(self, walk: Walk) -> QuerySet[Any]:
        """Return a query that the index alone can answer, without reading the users."""
        if walk.entries is not None:
            return walk.entries
        environment = Q(environment_id=self.environment_id) if walk.by_environment else Q()
        return User.objects.filter(environment & walk.range).values_list(walk.order[0])


@dataclass(frozen=True, kw_only=True)
class Plan:
    sizes: Sizes
    condition: Node | None  # None: all users
    branches: Branches  # empty: walk the environment

    def rows_after(self, position: Position | None, limit: int) -> list[Row]:
        return self._rows(position, limit, forwards=True)

    def rows_before(self, position: Position, limit: int) -> list[Row]:
        """Return the rows right before `position`, nearest first."""
        return self._rows(position, limit, forwards=False)

    def count(self) -> int | None:
        """Return the count, or None if there are too many to count."""
        return self.count_all() if self.sizes.total(self.branches) <= COUNTED else None

    def count_all(self) -> int:
        """Return the count, however long it takes."""
        return sum(self._branch(index).count() for index in range(len(self._walks())) if not self._is_empty(index))

    def _walks(self) -> tuple[Walk, ...]:
        if not self.branches:
            return (EVERYONE,)
        return tuple(walk for walk in map(walk_of, self.branches) if walk)

    def _branch(self, index: int, beyond: Q | None = None) -> QuerySet[User]:
        """Return the matches of one walk that no earlier walk has."""
        users = _range(self._walks()[index], self.sizes.environment_id, beyond or Q())
        if self.condition is not None:
            users = users.filter(condition_of(self.condition))
        earlier = [~test_of(self.branches[place]) for place in range(index) if not self._is_empty(place)]
        return users.filter(reduce(Q.__and__, earlier)) if earlier else users

    def _is_empty(self, index: int) -> bool:
        """Return whether a walk meets nobody. A search by name in many spellings has many such walks."""
        return bool(self.branches) and self.sizes.total((self.branches[index],)) == 0

    def _rows(self, position: Position | None, limit: int, *, forwards: bool) -> list[Row]:
        walks = self._walks()
        start = position.branch if position else 0
        rows: list[Row] = []
        for index in range(start, len(walks)) if forwards else range(start, -1, -1):
            if self._is_empty(index):
                continue
            order = walks[index].order
            here = position is not None and index == position.branch
            beyond = _beyond(order, position.key, forwards=forwards) if position and here else None
            users = self._branch(index, beyond).prefetch_related("population")
            sign = "" if forwards else "-"
            for user in users.order_by(*(f"{sign}{name}" for name in order))[: limit - len(rows)]:
                rows.append(Row(user, Position(index, key_of(user, order))))  # noqa: PERF401 - the slice counts rows
            if len(rows) >= limit:
                break
        return rows


def make_plan(environment_id: UUID, condition: Node | None) -> Plan:
    sizes = Sizes(environment_id)
    branches = _cover(condition, sizes) if condition is not None else None
    return Plan(sizes=sizes, condition=condition, branches=branches or ())


def condition_of(node: Node) -> Q:
    if isinstance(node, Comparison):
        return test_of(node)
    tests = [condition_of(part) for part in node.parts]
    if isinstance(node, All):
        return reduce(Q.__and__, tests, Q())
    return reduce(Q.__or__, tests) if tests else NOTHING


def key_of(user: User, order: tuple[str, ...]) -> Key:
    return tuple(str(user.id) if name.endswith("id") else getattr(user, name) for name in order)


def _beyond(order: tuple[str, ...], key: Key, *, forwards: bool) -> Q:
    side = "gt" if forwards else "lt"
    if len(order) == 1:
        return Q(**{f"{order[0]}__{side}": key[0]})
    first, last = order
    later = Q(**{f"{first}__{side}": key[0]}) | Q(**{f"{last}__{side}": key[1]})
    return Q(**{f"{first}__{side}e": key[0]}) & later


def _cover(node: Node, sizes: Sizes) -> Branches | None:
    """Return indexed comparisons that together cover the node (the smallest of several), or None."""
    if isinstance(node, Comparison):
        return (node,) if walk_of(node) else None
    covers = [_cover(part, sizes) for part in node.parts]
    if isinstance(node, AnyOf):
        if any(cover is None for cover in covers):
            return None
        return _widest(dict.fromkeys(comparison for cover in covers for comparison in cover or ()))
    usable = [cover for cover in covers if cover is not None]
    if len(usable) < 2:
        return usable[0] if usable else None
    return min(usable, key=lambda cover: _cost(cover, sizes))


def _widest(comparisons: Iterable[Comparison]) -> Branches:
    """Return the comparisons without those whose range lies inside that of another."""
    prefixes = {(one.attribute, one.value.lower()) for one in comparisons if one.operator == "sw"}

    def lies_inside(one: Comparison) -> bool:
        value = one.value.lower()
        ends = range(len(value) + (one.operator != "sw"))
        return any((one.attribute, value[:end]) in prefixes for end in ends)

    return tuple(one for one in comparisons if one.attribute not in INDEXED or not lies_inside(one))


def _cost(cover: Branches, sizes: Sizes) -> tuple[int, int]:
    """Return a sort key: the size of the walk, then the number of coarse attributes."""
    return sizes.total(cover), sum(comparison.attribute in COARSE for comparison in cover)


def _range(walk: Walk, environment_id: UUID, beyond: Q) -> QuerySet[User]:
    """Return the users of a walk. One filter() on purpose: two calls would join memberships twice."""
    environment = Q(environment_id=environment_id) if walk.by_environment else environment_test(environment_id)
    return User.objects.filter(environment & walk.range & beyond)
