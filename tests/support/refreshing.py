"""Helpers for refresh tokens: counts of grants at the sandbox, and processes that refresh concurrently."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import httpx
from django.utils import timezone

from pingone_integration.connection import tokens
from pingone_integration.models import Connection
from tests.support.databases import database_url
from tests.support.patience import patience
from tests.support.people import lease_ages
from tests.support.sandbox_server import ROOT, Sandbox


def expire(connection: Connection) -> Connection:
    """Let the access token expire now."""
    Connection.objects.filter(pk=connection.pk).update(access_token_expires_at=timezone.now())
    connection.refresh_from_db()
    return connection


def grant_of(connection: Connection, sandbox: Sandbox) -> UUID:
    """Return the ID of the newest grant at the sandbox. It belongs to the newest connection."""
    return UUID(sandbox.sql("SELECT id FROM sandbox_oauth_grant ORDER BY created_at DESC LIMIT 1")[0]["id"])


def refreshes(sandbox: Sandbox, grant: UUID) -> int:
    """Return how often the sandbox exchanged a refresh token for a new token."""
    counted = sandbox.sql("SELECT count(*) AS n FROM sandbox_oauth_refreshtoken WHERE grant_id = ?", grant)
    return int(counted[0]["n"]) - 1


def is_live(sandbox: Sandbox, grant: UUID) -> bool:
    return sandbox.sql("SELECT revoked_at FROM sandbox_oauth_grant WHERE id = ?", grant)[0]["revoked_at"] is None


def works(sandbox: Sandbox, token: str) -> bool:
    answer = httpx.get(f"{sandbox.issuer}/userinfo", headers={"Authorization": f"Bearer {token}"}, trust_env=False)
    return answer.status_code == 200


@contextmanager
def worker(sandbox: Sandbox, connection: Connection, threads: int, *options: str) -> Iterator[subprocess.Popen[str]]:
    """Start a process on the same database. It waits for `begin`; several start up side by side."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "DATABASE_URL": database_url(),
        "PINGONE_CUSTOM_HOSTS": f"{sandbox.url}={sandbox.url},{connection.auth_url}={sandbox.url}",
    }
    command = [sys.executable, "-m", "tests.support.token_worker", str(connection.pk), str(threads), *options]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def begin(*processes: subprocess.Popen[str]) -> None:
    """Start the work of all processes at once, when all are ready."""
    for process in processes:
        assert process.stdout is not None
        with patience(process.kill, "The start of a process that refreshes"):
            assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("now\n")
        process.stdin.flush()


def outcome(process: subprocess.Popen[str]) -> list[dict[str, str]]:
    output, _ = process.communicate(timeout=60)
    result: list[dict[str, str]] = json.loads(output)
    return result


def kill_a_process_before_it_stores(connection: Connection, sandbox: Sandbox) -> None:
    expire(connection)
    with worker(sandbox, connection, 1, "--killed-before-storing") as process:
        begin(process)
        assert process.wait(timeout=60) == -signal.SIGKILL
    lease_ages(connection, by=tokens.LEASE)


GRACE_S = 600  # as README.md recommends


def has_grace_period(connection: Connection, sandbox: Sandbox) -> None:
    """Switch the connection to an application with the grace period."""
    application = sandbox.copy(
        "sandbox_application",
        sandbox.details["client_id"],
        refresh_token_rolling_grace_period_duration=GRACE_S,
    )
    connection.client_id = str(application)
    connection.save(update_fields=["client_id"])
