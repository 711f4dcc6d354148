"""A limit on attempts, counted once for all processes: rows that one statement counts.

A window begins with its first attempt. Its times are the database's: processes may have clocks of their own.
"""

from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from itertools import chain
from operator import itemgetter
from typing import Any

from django.db import connection
from django.db.models import F
from django.db.models.functions import Now
from django.utils.crypto import salted_hmac

from console.models import SignInCount


@dataclass(frozen=True)
class Limit:
    """At most so many attempts within so many seconds."""

    name: str  # of what is attempted
    most: int
    seconds: int

    @property
    def window(self) -> timedelta:
        return timedelta(seconds=self.seconds)

    def count(self, whose: str) -> bool:
        """Count an attempt. Return False if there were too many: then it is not made, and not counted."""
        return count_all((self, whose))

    def is_reached(self, whose: str) -> bool:
        """Return whether the next attempt would be one too many. Counts nothing."""
        return bool(self._row(whose).filter(ends_at__gt=Now(), count__gte=self.most).exists())

    def take_back(self, whose: str) -> None:
        """Do not count an attempt that was counted: it succeeded."""
        self._row(whose).filter(count__gt=0).update(count=F("count") - 1)

    def forget(self, whose: str) -> None:
        self._row(whose).delete()

    def key(self, whose: str) -> str:
        return hashed(f"{self.name} {whose}")

    def _row(self, whose: str) -> Any:
        return SignInCount.objects.filter(key=self.key(whose))


def count_all(*counts: tuple[Limit, str]) -> bool:
    """Count an attempt for several limits at once. Return False if one of them was reached: then none counts it."""
    # In order of the keys: so no process waits for a row of another that waits for one of its rows.
    keys, limits = zip(*sorted(((limit.key(whose), limit) for limit, whose in counts), key=itemgetter(0)), strict=True)
    sql, windows = _statement(limits, connection.vendor)
    with connection.cursor() as cursor:
        cursor.execute(sql, [*chain(*zip(keys, windows, strict=True)), *keys, *keys])
        counted: int = cursor.rowcount
    return counted == len(keys)


@cache
def _statement(limits: tuple[Limit, ...], _vendor: str) -> tuple[str, list[Any]]:
    """Return the SQL that writes, counts or begins anew a row for each limit, unless one of them is full.

    Its parameters: each key with its window, and each key twice more. The ORM has no such statement.
    """
    query = SignInCount.objects.all().query
    compiler = query.get_compiler(connection=connection)
    table = query.get_meta().db_table
    now, _none = compiler.compile(Now())
    ends = [compiler.compile((Now() + limit.window).resolve_expression(query)) for limit in limits]
    is_over = f"{table}.ends_at <= {now}"
    added = " UNION ALL ".join(f"SELECT %s AS key, {end} AS ends_at" for end, _window in ends)
    is_full = " OR ".join(f"key = %s AND count >= {limit.most}" for limit in limits)
    most = " ".join(f"WHEN %s THEN {limit.most}" for limit in limits)
    sql = f"""
        INSERT INTO {table} (key, count, ends_at) SELECT key, 1, ends_at FROM ({added}) AS added
        WHERE NOT EXISTS (SELECT 1 FROM {table} WHERE ends_at > {now} AND ({is_full}))
        ON CONFLICT (key) DO UPDATE SET
            count = CASE WHEN {is_over} THEN 1 ELSE {table}.count + 1 END,
            ends_at = CASE WHEN {is_over} THEN EXCLUDED.ends_at ELSE {table}.ends_at END
        WHERE {is_over} OR {table}.count < CASE EXCLUDED.key {most} END
    """  # noqa: S608 - no value is in it but numbers of the code
    return sql, [window for _end, (window,) in ends]


def hashed(text: str) -> str:
    """Return a hash that nobody can compute without SECRET_KEY: an address or a code could be guessed from another."""
    return salted_hmac("console.operators.sign_in_limits", text, algorithm="sha256").hexdigest()
