"""`python -m console.server.first_secrets DIRECTORY DATABASE_DIRECTORY`: the secrets of compose.yaml's first start.

A file that is there stays as it is: with another key, what the database has sealed could not be opened.
"""

import base64
import os
import secrets
import sys
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4


def make_secrets(directory: Path, database_directory: Path) -> None:
    """Write the missing files: those of the console, and the password that the database reads too."""
    password = _kept(database_directory / "password", lambda: secrets.token_hex(32))
    _kept(directory / "secret_key", lambda: secrets.token_urlsafe(50))
    _kept(directory / "credential_keys", lambda: base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())
    _kept(directory / "database_url", lambda: f"postgres://console:{password}@database:5432/console")


def _kept(file: Path, make: Callable[[], str]) -> str:
    """Return the file's text, and write it first if there is no file. It is never there half written."""
    if not file.exists():
        unfinished = file.with_name(f".{uuid4().hex}")
        with os.fdopen(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o400), "w") as opened:
            opened.write(make())
            opened.flush()
            os.fsync(opened.fileno())
        unfinished.rename(file)
    return file.read_text()


if __name__ == "__main__":
    make_secrets(Path(sys.argv[1]), Path(sys.argv[2]))
