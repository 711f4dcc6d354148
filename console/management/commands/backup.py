"""`manage.py backup FILE`: everything in the database, in one file."""

import shutil
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from console.backups import backup
from console.backups.unusable import Unusable


class Command(BaseCommand):
    help = (
        "Write the whole database to a new file, consistent while the console serves. Keep CREDENTIAL_KEYS somewhere "
        "else: without them, what is sealed in the backup stays closed."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="a new file, or - for standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if str(options["file"]) == "-":
                with backup.saved() as file, file.open("rb") as opened:
                    shutil.copyfileobj(opened, sys.stdout.buffer)
            else:
                file = backup.save(options["file"])
                self.stdout.write(f"Wrote {file}, {file.stat().st_size:,} bytes.")
        except Unusable as unusable:
            raise CommandError(str(unusable)) from None
