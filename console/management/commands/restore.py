"""`manage.py restore FILE`: the database as it was when `manage.py backup` wrote the file."""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from console.backups import backup
from console.backups.unusable import Unusable
from console.server.migration_lock import migration_lock


class Command(BaseCommand):
    help = "Restore the database from a file of manage.py backup. Stop the console and its worker first."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="a backup, or - for standard input")
        parser.add_argument("--replace", action="store_true", help="delete what the database has now")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with _file(options["file"]) as file, migration_lock(connection, self._tell):
                backup.check_backup(file)
                if not options["replace"] and (table := backup.table_with_rows()):
                    raise CommandError(
                        f"The database already has data, in {table}. Restore into a new database, or add --replace to "
                        "delete what it has."
                    )
                backup.restore(file)
        except Unusable as unusable:
            raise CommandError(str(unusable)) from None
        self.stdout.write("Restored. Next: manage.py migrate, then manage.py verify_audit.")

    def _tell(self) -> None:
        self.stdout.write("Another process is migrating this database. Waiting for it to end.")
        self.stdout.flush()


@contextmanager
def _file(path: Path) -> Iterator[Path]:
    if str(path) != "-":
        yield path
        return
    with tempfile.NamedTemporaryFile() as copy:
        shutil.copyfileobj(sys.stdin.buffer, copy)
        copy.flush()
        yield Path(copy.name)
