"""A query whose SQL is kept: Django takes longer to compile a union of many parts than the database to answer it."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

from django.db import connection
from django.db.models import QuerySet

Rows = QuerySet[Any, tuple[str, str, str]]


@dataclass(frozen=True, kw_only=True)
class Values:
    """What a query depends on. It may use them as they are, as texts, and a time less a timedelta."""

    organization: UUID
    environment: UUID
    user: UUID
    groups: tuple[UUID, ...]  # at least one
    now: datetime


Build = Callable[[Values], Rows]
Parameter = Callable[[Values], Any]


def rows(build: Build, values: Values) -> list[tuple[str, str, str]]:
    """Return the rows of the query that `build` makes of these values. `build` sees other values, and those once."""
    values = replace(values, groups=_padded(values.groups))
    sql, parameters = _compiled(build, len(values.groups), connection.vendor)
    with connection.cursor() as cursor:
        cursor.execute(sql, [parameter(values) for parameter in parameters])
        found: list[tuple[str, str, str]] = cursor.fetchall()
    return found


def _padded(groups: tuple[UUID, ...]) -> tuple[UUID, ...]:
    """Repeat the last group, up to a power of two: so there are few queries, whatever the number of groups."""
    length = 1 << (len(groups) - 1).bit_length()
    return groups + groups[-1:] * (length - len(groups))


@cache
def _compiled(build: Build, groups: int, vendor: str) -> tuple[str, list[Parameter]]:
    """Build the query twice. A parameter that differs is one of the values, or the query cannot be kept."""
    one, other = _stand_ins(1, groups), _stand_ins(2, groups)
    sql, in_one = build(one).query.sql_with_params()
    same_sql, in_other = build(other).query.sql_with_params()
    if sql != same_sql:
        raise TypeError("The SQL depends on the values.")
    return sql, [_parameter(*pair, one, other) for pair in zip(in_one, in_other, strict=True)]


def _stand_ins(number: int, groups: int) -> Values:
    ids = [uuid5(NAMESPACE_OID, f"{number} {place}") for place in range(3 + groups)]
    now = datetime.fromisoformat(f"200{number}-02-03T04:05:06.789012+00:00")
    return Values(organization=ids[0], environment=ids[1], user=ids[2], groups=tuple(ids[3:]), now=now)


def _parameter(in_one: Any, in_other: Any, one: Values, other: Values) -> Parameter:
    """Return how a parameter comes from the values, given what it is in two queries."""
    if in_one == in_other:
        return lambda _values: in_one
    for value_of in _ids(len(one.groups)):
        for form in (_as_it_is, _as_hex, str):
            if (in_one, in_other) == (form(value_of(one)), form(value_of(other))):
                return lambda values: form(value_of(values))
    with suppress(ValueError):
        before = one.now - _moment(in_one)
        if before == other.now - _moment(in_other):
            return _time_before(before)
    raise TypeError(f"No value explains {in_one!r}.")


def _ids(groups: int) -> list[Callable[[Values], UUID]]:
    of_groups = [_group_at(place) for place in range(groups)]
    return [lambda one: one.organization, lambda one: one.environment, lambda one: one.user, *of_groups]


def _group_at(place: int) -> Callable[[Values], UUID]:
    return lambda one: one.groups[place]


def _time_before(before: timedelta) -> Parameter:
    return lambda values: connection.ops.adapt_datetimefield_value(values.now - before)


def _moment(value: Any) -> datetime:
    """Return a time as the database gets it. Raises ValueError."""
    found = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _as_it_is(value: UUID) -> UUID:
    return value


def _as_hex(value: UUID) -> str:
    return value.hex
