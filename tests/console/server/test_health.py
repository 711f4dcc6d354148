"""Health checks, and requests for a host that the console does not have."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone

from console.models import OutgoingEmail, WorkerProcess
from console.outbox import emails
from console.server import health
from console.work.presence import appear, disappear

NO_WORKER = b"ready\nworker: not running\noldest waiting: none\n"
TEXT = "text/plain; charset=utf-8"
STRANGE_HOSTS = [
    "wrong.test",
    "localhost.wrong.test",
    "[::1",
    "a b",
    "localhost:port",
    "wrong.test:443",
    "x" * 5_000,
    "",
    "\t",
]


@pytest.mark.parametrize("host", ["localhost", "10.0.0.7:8000", *STRANGE_HOSTS])
def test_healthz_answers_whatever_the_host_without_a_database_or_a_session(client: Client, host: str) -> None:
    answer = client.get("/healthz", headers={"host": host, "x-forwarded-proto": "http"})

    assert (answer.status_code, answer.content, answer["Content-Type"]) == (200, b"ok\n", TEXT)
    assert not answer.cookies


@pytest.mark.database
@pytest.mark.django_db
def test_readyz_answers_whatever_the_host_on_a_migrated_server(client: Client) -> None:
    answer = client.get("/readyz", headers={"host": "10.0.0.7"})

    assert (answer.status_code, answer.content, answer["Content-Type"]) == (200, NO_WORKER, TEXT)


@pytest.mark.database
@pytest.mark.django_db
def test_readyz_tells_whether_a_worker_runs_and_how_long_the_oldest_work_has_waited(client: Client) -> None:
    worker = uuid4()
    appear(worker)
    assert client.get("/readyz").text == "ready\nworker: running\noldest waiting: none\n"

    emails.write(to="mara@acme.test", subject="", body="", about="", worth_for=timedelta(days=1), may_repeat=True)
    OutgoingEmail.objects.update(wanted_at=timezone.now() - timedelta(seconds=90))
    WorkerProcess.objects.update(believed_until=timezone.now() - timedelta(seconds=1))  # killed

    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert re.fullmatch(r"ready\nworker: not running\noldest waiting: 9\d s\n", answer.text)

    appear(worker)
    disappear(worker)
    assert "worker: not running" in client.get("/readyz").text


def test_readyz_names_a_database_that_does_not_answer(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(connection: object) -> None:
        raise DatabaseError("connection refused")

    monkeypatch.setattr(health, "MigrationExecutor", fail)
    answer = client.get("/readyz")

    assert (answer.status_code, answer.content) == (503, b"database: no answer\n")


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_checks_only_read(client: Client, path: str) -> None:
    assert client.post(path).status_code == 405


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("path", ["/", "/accounts/login/", "/o/acme/users/", "/nowhere/", "/static/console/theme.js"])
def test_another_host_is_refused_in_words_and_without_a_traceback(
    client: Client, caplog: pytest.LogCaptureFixture, settings: object, path: str, debug: bool
) -> None:
    settings.DEBUG = debug  # type: ignore[attr-defined]
    for host in STRANGE_HOSTS:
        caplog.clear()
        answer = client.get(path, headers={"host": host})

        assert (answer.status_code, answer["Content-Type"]) == (400, TEXT), host
        assert "ALLOWED_HOSTS" in answer.text
        assert "Traceback" not in caplog.text
        assert all(len(record.getMessage()) < 250 for record in caplog.records)
