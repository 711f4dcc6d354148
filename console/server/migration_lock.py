"""The lock that lets one process at a time change the database's tables (advisory lock)."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from django.db.backends.base.base import BaseDatabaseWrapper

_KEY = 0x70696E67  # of the advisory lock: any number, the same in every version
_WITHOUT_LIMITS = "SET LOCAL lock_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0"


@contextmanager
def migration_lock(connection: BaseDatabaseWrapper, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the lock of this database, from whichever machine. If another process holds it, call `waiting` and wait.

    The lock ends with its process, also with one that was killed.
    """
    lock = _file_lock if connection.vendor == "sqlite" else _advisory_lock
    with lock(connection, waiting):
        yield


@contextmanager
def _file_lock(connection: BaseDatabaseWrapper, waiting: Callable[[], None]) -> Iterator[None]:
    name = str(connection.settings_dict["NAME"])
    if ":memory:" in name or "mode=memory" in name:  # no other process has it
        yield
        return
    # A file of its own: to close the database's file would end the locks that SQLite has on it in this process.
    lock = os.open(f"{name}.lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


@contextmanager
def _advisory_lock(connection: BaseDatabaseWrapper, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold it in a transaction of a second connection: PgBouncer may give each transaction another session."""
    with closing(connection.copy()) as second:
        second.set_autocommit(False)
        with second.cursor() as cursor:
            cursor.execute(_WITHOUT_LIMITS)
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_KEY])
            if not cursor.fetchone()[0]:
                waiting()
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_KEY])
        yield
