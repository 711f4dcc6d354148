"""`manage.py migrate`: Django's, one at a time, so that several machines may start a new version at once."""

from typing import Any

from django.core.management.commands import migrate
from django.db import connections

from console.server.migration_lock import migration_lock


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        if options["check_unapplied"] or options["plan"]:
            super().handle(*args, **options)
            return
        with migration_lock(connections[options["database"]], self._tell):
            super().handle(*args, **options)

    def _tell(self) -> None:
        self.stdout.write("Another process is migrating this database. Waiting for it to end.")
        self.stdout.flush()
