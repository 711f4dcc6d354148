"""Fast bulk inserts: each row changes a few values of a prepared row and needs no model instance."""

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from django.db import connection
from django.db.models import Model

BATCH = 5_000


class Rows:
    """Rows of one table. A row's missing values come from `model`, an unsaved instance."""

    def __init__(self, model: Model) -> None:
        options = model._meta  # noqa: SLF001 - documented by Django
        self.table = options.db_table
        self.base: dict[str, Any] = {
            str(field.column): field.get_db_prep_save(field.pre_save(model, add=True), connection)
            for field in options.concrete_fields
            if not (field.primary_key and field.get_internal_type() == "BigAutoField")
        }

    def write(self, rows: Iterable[dict[str, Any]]) -> None:
        """Insert rows of columns and values as SQLite stores them: ids as hexadecimal digits, JSON as text."""
        columns = ", ".join(f'"{column}"' for column in self.base)
        marks = ", ".join(["%s"] * len(self.base))
        statement = f'INSERT INTO "{self.table}" ({columns}) VALUES ({marks})'  # noqa: S608 - our own names
        with connection.cursor() as cursor:
            for batch in _batches(tuple({**self.base, **row}.values()) for row in rows):
                cursor.executemany(statement, batch)


def stored(value: dict[str, Any] | list[Any]) -> str:
    return json.dumps(value)


def _batches(rows: Iterator[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    while batch := list(islice(rows, BATCH)):
        yield batch
