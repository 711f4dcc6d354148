"""A backup of the database in one file, and the rules that guard a restore."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from django.db import connection
from django.db.migrations.loader import MigrationLoader

from console.backups import postgresql, sqlite
from console.backups.unusable import Unusable

_KINDS: dict[str, ModuleType] = {"sqlite": sqlite, "postgresql": postgresql}
_NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
_FILLED_BY_MIGRATE = {"django_migrations", "django_content_type", "auth_permission"}


@contextmanager
def saved() -> Iterator[Path]:
    """Give a backup of the database, which only its owner may read, and remove it afterwards unless it was moved."""
    with tempfile.TemporaryDirectory() as directory:
        yield save(Path(directory) / "backup")


def save(file: Path) -> Path:
    """Write a backup to a new file, which appears when it is complete. Only its owner may read it. Raises Unusable."""
    if file.exists():
        raise Unusable(f"{file} exists already.")
    try:
        handle, name = tempfile.mkstemp(prefix=f"{file.name}.", dir=file.parent)  # mode 0600
        unfinished = Path(name)
        try:
            _KINDS[connection.vendor].save(connection, unfinished)
            os.fsync(handle)
            unfinished.rename(file)
        finally:
            os.close(handle)
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise Unusable(f"{file}: {error.strerror}") from None
    return file


def check_backup(file: Path) -> None:
    """Raise Unusable unless the file is a whole backup of this kind of database, by this version or an older one."""
    try:
        with file.open("rb") as opened:
            start = opened.read(16)
    except OSError as error:
        raise Unusable(f"{file}: {error.strerror}") from None
    kind = next((vendor for vendor, module in _KINDS.items() if start.startswith(module.SIGNATURE)), None)
    if kind is None:
        raise Unusable("The file is not a backup of a console.")
    if kind != connection.vendor:
        raise Unusable(f"The backup is one of {_NAMES[kind]}, and DATABASE_URL names {_NAMES[connection.vendor]}.")
    known = MigrationLoader(None)
    applied = _KINDS[kind].migrations_in(connection, file)
    if not any(app == "console" for app, _ in applied):
        raise Unusable("The backup is not one of a console.")
    ours = {app for app, _ in known.graph.nodes}
    if unknown := sorted(
        f"{app}.{name}" for app, name in applied if app in ours and (app, name) not in known.graph.nodes
    ):
        raise Unusable(f"A newer version of the console made this backup. This version does not know {unknown[0]}.")


def table_with_rows() -> str | None:
    """Return the name of a table that holds data, or None in a database that is empty or was only migrated."""
    with connection.cursor() as cursor:
        for table in sorted(connection.introspection.table_names(cursor)):
            cursor.execute(f"SELECT 1 FROM {connection.ops.quote_name(table)} LIMIT 1")  # noqa: S608 - quoted
            if table not in _FILLED_BY_MIGRATE and cursor.fetchone():
                return str(table)
    return None


def restore(file: Path) -> None:
    """Replace everything in the database. Raises Unusable, with the database as it was before."""
    _KINDS[connection.vendor].restore(connection, file)
