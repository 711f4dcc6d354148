"""DATABASE_URL values for other processes: the tests' database, and new databases of the same kind."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
from django.conf import settings
from django.db import connection


def database_url() -> str:
    """Return the URL of the running test's database."""
    name = settings.DATABASES["default"]["NAME"]
    return f"sqlite:///{name}" if connection.vendor == "sqlite" else _beside(name)


@contextmanager
def new_database(directory: Path) -> Iterator[str]:
    """Create an empty database: a file in `directory`, or a database on the tests' PostgreSQL, dropped at the end."""
    if connection.vendor == "sqlite":
        yield f"sqlite:///{directory / 'new.sqlite3'}"
        return
    name = f"console_{uuid4().hex}"
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        try:
            yield _beside(name)
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def change(url: str, statement: str) -> int:
    """Run SQL on a database and return the number of changed rows. Starts no process."""
    if url.startswith("sqlite:///"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), timeout=20)) as database, database:
            return database.execute(statement).rowcount
    with psycopg.connect(url, autocommit=True) as server:
        return server.execute(statement).rowcount


def read(url: str, query: str) -> list[tuple[Any, ...]]:
    """Return the rows of a database. Starts no process."""
    if url.startswith("sqlite:///"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), timeout=20)) as database:
            return database.execute(query).fetchall()
    with psycopg.connect(url, autocommit=True) as server:
        return server.execute(query).fetchall()


def _beside(name: str) -> str:
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()
