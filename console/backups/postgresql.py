"""A dump of a PostgreSQL database, by pg_dump: consistent while others write."""

import os
import shutil
import subprocess
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, cast

from django.db.backends.base.base import BaseDatabaseWrapper

from console.backups.unusable import Unusable

SIGNATURE = b"PGDMP"
_PORTABLE = ["--no-owner", "--no-acl"]  # another server has other roles


def save(connection: BaseDatabaseWrapper, file: Path) -> None:
    _run(connection, ["pg_dump", "--format=custom", *_PORTABLE, f"--file={file}"])


def migrations_in(connection: BaseDatabaseWrapper, file: Path) -> set[tuple[str, str]]:
    """Return app and name of each migration that the backup has. Raises Unusable for a damaged file."""
    listed = _run(None, ["pg_restore", "--data-only", "--table=django_migrations", "--file=-", str(file)])
    rows = [line.split("\t") for line in listed.splitlines() if line.count("\t") == 3]
    if not rows:
        raise Unusable("The backup is not one of a console: it has no migrations.")
    return {(app, name) for _, app, name, _ in rows}


def restore(connection: BaseDatabaseWrapper, file: Path) -> None:
    """Replace all tables in one transaction: after a failure the database is as before."""
    emptied = [
        f"DROP TABLE IF EXISTS {connection.ops.quote_name(table)} CASCADE;"
        for table in connection.introspection.table_names()
    ]
    psql = ["psql", "--no-psqlrc", "--quiet", "--output=/dev/null", "--set=ON_ERROR_STOP=1"]
    with (
        TemporaryFile() as unread,
        TemporaryFile() as refused,
        _process(["pg_restore", *_PORTABLE, "--file=-", str(file)], stdout=subprocess.PIPE, stderr=unread) as script,
        _process(*_address(connection, psql), stdin=subprocess.PIPE, stderr=refused) as into,
    ):
        _send(
            ["BEGIN;", "SET client_min_messages = warning;", "SET LOCAL lock_timeout = '30s';", *emptied], script, into
        )
        if into.wait():
            raise Unusable(f"PostgreSQL refused the backup: {_last_line(refused)}")
        if script.wait():
            raise Unusable(f"The backup is damaged: {_last_line(unread)}")


def _send(first: Iterable[str], script: subprocess.Popen[bytes], into: subprocess.Popen[bytes]) -> None:
    """Commit only what was read to its end: a transaction that psql's input leaves open is rolled back."""
    read, write = cast("IO[bytes]", script.stdout), cast("IO[bytes]", into.stdin)
    try:
        write.writelines(f"{line}\n".encode() for line in first)
        shutil.copyfileobj(read, write)
        if script.wait() == 0:
            write.write(b"\nCOMMIT;\n")
        write.flush()
    except BrokenPipeError:  # psql has stopped at an error
        script.kill()
    finally:
        with suppress(BrokenPipeError):
            write.close()


def _run(connection: BaseDatabaseWrapper | None, command: list[str]) -> str:
    environment: dict[str, str] = {}
    if connection:
        command, environment = _address(connection, command)
    with TemporaryFile() as refused, _process(command, environment, stdout=subprocess.PIPE, stderr=refused) as process:
        printed, _ = process.communicate()
        if process.returncode:
            raise Unusable(f"{command[0]} failed: {_last_line(refused)}")
    return printed.decode(errors="replace")


def _address(connection: BaseDatabaseWrapper, command: list[str]) -> tuple[list[str], dict[str, str]]:
    """Return the command with the database's address, and its password as a variable: others see command lines."""
    arguments, environment = connection.client.settings_to_cmd_args_env(connection.settings_dict, command[1:])
    return [command[0], *arguments[1:]], dict(environment or {})


def _process(
    command: list[str],
    environment: dict[str, str] | None = None,
    *,
    stdin: int | None = None,
    stdout: int | None = None,
    stderr: IO[bytes],
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(  # noqa: S603 - PostgreSQL's own commands
            command, env=os.environ | (environment or {}), stdin=stdin, stdout=stdout, stderr=stderr
        )
    except FileNotFoundError:
        raise Unusable(
            f"{command[0]} is not installed. Debian: apt-get install postgresql-client. It must be of the server's "
            "version or newer."
        ) from None


def _last_line(output: IO[bytes]) -> str:
    output.seek(0)
    return (output.read().decode(errors="replace").strip().splitlines() or ["no reason given"])[-1]
