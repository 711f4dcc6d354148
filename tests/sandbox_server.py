"""A sandbox in a process of its own, and a person who signs on to it."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, kw_only=True)
class Sandbox:
    """A sandbox that listens; `details` is what `manage.py sandbox --print-connection` prints."""

    url: str
    details: dict[str, Any]
    database: Path

    @property
    def issuer(self) -> str:
        """Of the environment where administrators sign on."""
        return f"{self.url}/{self.details['environment_id']}/as"

    def sql(self, statement: str, *values: object) -> list[dict[str, Any]]:
        """Look at or change what no API of PingOne's shows or changes; ids are 32 hexadecimal digits."""
        with closing(sqlite3.connect(self.database, timeout=20, isolation_level=None)) as connection:
            connection.row_factory = sqlite3.Row
            stored = [value.hex if isinstance(value, UUID) else value for value in values]
            return [dict(row) for row in connection.execute(statement, stored)]

    def copy(self, table: str, of: str, **changes: object) -> UUID:
        """Insert a copy of one row under a new id, so that a test may spoil it."""
        row = self.sql(f"SELECT * FROM {table} WHERE id = ?", UUID(of))[0]  # noqa: S608 - names of our own tables
        new_id = uuid4()
        row.update(changes, id=new_id)
        columns, marks = ", ".join(f'"{name}"' for name in row), ", ".join("?" for _ in row)
        self.sql(f"INSERT INTO {table} ({columns}) VALUES ({marks})", *row.values())  # noqa: S608
        return new_id


@contextmanager
def running_sandbox(directory: Path, *options: str) -> Iterator[Sandbox]:
    """Start a sandbox with a new database in `directory` on a free port; stop it at the end."""
    database, ready_file = directory / "sandbox.sqlite3", directory / "connection.json"
    command = [sys.executable, str(ROOT / "manage.py"), "sandbox", "--port", "0", "--quiet"]
    command += ["--database", str(database), "--ready-file", str(ready_file), *options]
    environment = {key: value for key, value in os.environ.items() if key != "DJANGO_SETTINGS_MODULE"}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert "listening" in line, f"the sandbox did not start: {line!r}"
            details = json.loads(ready_file.read_text())
            yield Sandbox(url=details["url"], details=details, database=database)
        finally:
            process.terminate()
