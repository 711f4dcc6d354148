"""A migrated SQLite database, kept in var/ from one test run to the next: to migrate takes five seconds."""

import os
import shutil
from hashlib import sha256
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.db import connection

VAR = Path(settings.BASE_DIR, "var")


def template() -> Path:
    """Return the path of the database for these migrations. An edited migration, or another package, has its own."""
    digest = sha256(Path(settings.BASE_DIR, "requirements.txt").read_bytes())
    for app in apps.get_app_configs():
        for migration in sorted(Path(app.path, "migrations").glob("*.py")):
            digest.update(migration.name.encode() + migration.read_bytes())
    return VAR / f"migrated-{digest.hexdigest()[:16]}.sqlite3"


def copy_to(database: Path) -> bool:
    """Copy the migrated database, and return whether there was one."""
    for beside in ("", "-wal", "-shm"):  # of a run that was killed
        Path(f"{database}{beside}").unlink(missing_ok=True)
    found = template().exists()
    if found:
        shutil.copyfile(template(), database)
    return found


def keep() -> None:
    """Keep a copy of the database that was just migrated, in place of those for other migrations."""
    kept = template()
    if kept.exists():
        return
    unfinished = kept.with_suffix(f".{os.getpid()}")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM INTO %s", [str(unfinished)])
    for earlier in VAR.glob("migrated-*.sqlite3"):
        earlier.unlink(missing_ok=True)
    unfinished.replace(kept)
