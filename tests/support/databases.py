"""The database of the tests, and new ones of its kind, as another process is told of them: by DATABASE_URL."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
from django.conf import settings
from django.db import connection


def database_url() -> str:
    """Of what the running test sees."""
    name = settings.DATABASES["default"]["NAME"]
    return f"sqlite:///{name}" if connection.vendor == "sqlite" else _beside(name)


@contextmanager
def new_database(directory: Path) -> Iterator[str]:
    """An empty one, a file in `directory` or a database of the PostgreSQL that the tests run on; dropped at the end."""
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
    """In a new database, by SQL: no process has to start for it. Returns how many rows."""
    if url.startswith("sqlite:///"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), timeout=20)) as database, database:
            return database.execute(statement).rowcount
    with psycopg.connect(url, autocommit=True) as server:
        return server.execute(statement).rowcount


def _beside(name: str) -> str:
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()
