"""`manage.py sandbox`: a local PingOne stand-in on a real socket."""

import json
import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, call_command
from django.db import connection

from pingone_integration.sandbox.connection import connection_details
from pingone_integration.sandbox.models import Application
from pingone_integration.sandbox.seed import fixtures
from pingone_integration.sandbox.seed.organization import seed_organization
from pingone_integration.sandbox.seed.people import seed_people
from pingone_integration.sandbox.server import SandboxServer


class Command(BaseCommand):
    help = "Start a local PingOne stand-in with invented people."
    requires_system_checks = ()  # every integration test waits for the start

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=9100, help="0: any free port, see --ready-file")
        parser.add_argument("--database", type=Path, help="SQLite file (default: $SANDBOX_DATABASE)")
        parser.add_argument("--users", type=int, default=1000, help="number of users to invent in an empty database")
        parser.add_argument("--reset", action="store_true", help="delete the database and start over")
        parser.add_argument(
            "--redirect-uri", action="append", default=[], help="also accept this redirect URI; can be repeated"
        )
        parser.add_argument(
            "--ready-file", type=Path, help="write the connection details to this file once the server listens"
        )
        parser.add_argument(
            "--print-connection", action="store_true", help="print the connection details as JSON and exit"
        )
        parser.add_argument("--quiet", action="store_true", help="do not log requests")

    def handle(self, *args: Any, **options: Any) -> None:
        self._open_database(options["database"], reset=options["reset"])
        call_command("migrate", verbosity=0)
        seed_organization()
        self._register(options["redirect_uri"])
        if options["print_connection"]:
            url = settings.SANDBOX_URL or f"http://{options['host']}:{options['port']}"
            self.stdout.write(json.dumps(connection_details(url), indent=2))
            return
        seed_people(options["users"])
        self._serve(options)

    def _open_database(self, path: Path | None, *, reset: bool) -> None:
        if path:
            connection.close()
            settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = path.resolve()
        database = Path(connection.settings_dict["NAME"])
        if reset:
            for suffix in ("", "-wal", "-shm"):
                database.with_name(database.name + suffix).unlink(missing_ok=True)
        database.parent.mkdir(parents=True, exist_ok=True)

    def _register(self, redirect_uris: list[str]) -> None:
        client = Application.objects.get(id=fixtures.CLIENT_ID)
        client.redirect_uris = list(dict.fromkeys([*client.redirect_uris, *redirect_uris]))
        client.save()

    def _serve(self, options: dict[str, Any]) -> None:
        ready_file: Path | None = options["ready_file"]

        def announce(url: str) -> None:
            url = settings.SANDBOX_URL or url
            if ready_file:
                unfinished = ready_file.with_name(f"{ready_file.name}.{os.getpid()}")
                unfinished.write_text(json.dumps(connection_details(url)))
                unfinished.replace(ready_file)
            connection.close()  # the worker is a fork: it opens its own
            self.stdout.write(f"PingOne sandbox listening on {url}")
            self.stdout.flush()

        SandboxServer(options["host"], options["port"], announce, quiet=options["quiet"]).run()
