"""A copy of an SQLite file, by SQLite's online backup: consistent while others write."""

import sqlite3
from contextlib import closing
from pathlib import Path

from django.db.backends.base.base import BaseDatabaseWrapper

from console.backups.unusable import Unusable

SIGNATURE = b"SQLite format 3\0"


def save(connection: BaseDatabaseWrapper, file: Path) -> None:
    try:
        with closing(sqlite3.connect(file)) as copy:
            _file_of(connection).backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, without the two of a write-ahead log beside it
    except sqlite3.Error as error:
        raise Unusable(f"SQLite failed: {error}") from None


def migrations_in(connection: BaseDatabaseWrapper, file: Path) -> set[tuple[str, str]]:
    """Return app and name of each migration that the backup has. Raises Unusable for a damaged file."""
    try:
        with closing(_open(file)) as copy:
            pages, size = (copy.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
            if file.stat().st_size != pages * size:
                raise Unusable("The backup is damaged: its end is missing.")
            (state,) = copy.execute("PRAGMA quick_check(1)").fetchone()
            if state != "ok":
                raise Unusable(f"The backup is damaged: {state}")
            return set(copy.execute("SELECT app, name FROM django_migrations"))
    except sqlite3.DatabaseError as error:
        raise Unusable(f"The backup is damaged, or not one of a console: {error}") from None


def restore(connection: BaseDatabaseWrapper, file: Path) -> None:
    """Replace the whole database in one step: after a failure it is as before."""
    try:
        with closing(_open(file)) as copy:
            copy.backup(_file_of(connection))
    except sqlite3.Error as error:
        raise Unusable(f"SQLite refused the backup: {error}") from None


def _open(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro&immutable=1", uri=True)


def _file_of(connection: BaseDatabaseWrapper) -> sqlite3.Connection:
    connection.ensure_connection()
    opened: sqlite3.Connection = connection.connection
    return opened
