"""The process log as JSON: one object a line, and the transaction ID ties lines, calls and audit entry together."""

import json
import logging
import runpy
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
import respx
from django.http import StreamingHttpResponse
from django.test import Client
from gunicorn.config import Config

from console import settings as console_settings
from console.actions.catalogue import BY_KEY
from console.audit import entries
from console.middleware import Transaction
from console.models import AuditEntry, Operator, Organization
from console.server.log_format import JsonFormatter
from pingone_integration.calls import transaction_id
from tests.support.answers import ADA, ada
from tests.support.asking import page_of

ROOT = Path(__file__).parents[3]


@pytest.fixture
def lines() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """Return a function that returns the process log so far, parsed."""
    written: list[str] = []
    handler = logging.Handler()
    handler.setFormatter(JsonFormatter())
    handler.emit = lambda record: written.append(handler.format(record))  # type: ignore[method-assign]
    root = logging.getLogger()
    root.addHandler(handler)
    yield lambda: [json.loads(line) for line in written]
    root.removeHandler(handler)


@pytest.mark.parametrize("text", ["plain", 'a "quoted" word', "two\nlines\r\n", "\x1b[31m", "\ud800", "{}", "%s", "Ж"])
def test_line_is_one_json_object_whatever_the_message(text: str) -> None:
    record = logging.LogRecord("console", logging.WARNING, __file__, 1, "About %s", (text,), None)
    line = JsonFormatter().format(record)

    assert line.isascii()
    assert line.isprintable()
    said = json.loads(line)
    assert (said["level"], said["logger"], said["message"]) == ("WARNING", "console", f"About {text}")
    assert abs(datetime.fromisoformat(said["time"]) - datetime.now(UTC)) < timedelta(minutes=1)
    assert "transaction_id" not in said


def test_traceback_is_a_member_of_the_same_object() -> None:
    try:
        raise RuntimeError("a mistake\nof ours")  # noqa: TRY301 - for its traceback
    except RuntimeError:
        record = logging.LogRecord("console", logging.ERROR, __file__, 1, "Failed", (), sys.exc_info())

    assert "RuntimeError: a mistake\nof ours" in json.loads(JsonFormatter().format(record))["exception"]


def test_action_has_one_id_in_the_log_at_pingone_and_in_the_audit_log(
    helpdesk: Operator, browser_of: Callable[[Operator], Client], pingone: respx.MockRouter, lines: Any, settings: Any
) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.speaking"]
    pingone.get(f"/users/{ADA}").respond(json=ada(account={"status": "LOCKED"}))
    pingone.post(f"/users/{ADA}").respond(json=ada())

    browser_of(helpdesk).post(page_of(BY_KEY["user.unlock"]), {"submission": str(uuid4())})

    entry = AuditEntry.objects.current().get()
    sent = {call.request.headers["X-Ping-External-Transaction-ID"] for call in pingone.calls}
    logged = {line["transaction_id"] for line in lines() if line["message"] == "Speaking"}
    assert {str(entry.entry)} == sent == logged


def speaking(get_response: Any) -> Any:
    """Log a line before each view."""

    def respond(request: Any) -> Any:
        logging.getLogger("console.views").warning("Speaking")
        return get_response(request)

    return respond


@pytest.mark.django_db
def test_each_request_has_an_id_of_its_own_until_its_last_byte(lines: Any, rf: Any) -> None:
    def chunks() -> Iterator[bytes]:
        logging.getLogger("console.views").warning("Speaking")
        yield b""

    ids = []
    for _ in range(2):
        response: Any = Transaction(lambda _: StreamingHttpResponse(chunks()))(rf.get("/"))  # type: ignore[arg-type, return-value]
        response.getvalue()
        ids.append(lines()[-1]["transaction_id"])
        response.close()
        logging.getLogger("console").warning("Afterwards")
        assert "transaction_id" not in lines()[-1]

    assert len(set(ids)) == 2


def test_further_entries_of_a_request_have_ids_of_their_own(acme: Organization, org_admin: Operator) -> None:
    subject = entries.Subject(kind=AuditEntry.Subject.OPERATOR)
    request = transaction_id.begin()
    rows = [entries.record(acme, "operator.signed-in", subject=subject, operator=org_admin) for _ in range(2)]
    transaction_id.end()
    later = entries.record(acme, "operator.signed-in", subject=subject, operator=org_admin)

    assert rows[0].entry == request
    assert len({row.entry for row in [*rows, later]}) == 3


@pytest.fixture
def gunicorn_log(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Any]]:
    def made(log_format: str) -> Any:
        monkeypatch.setattr(console_settings, "LOG_FORMAT", log_format)
        config = runpy.run_path(str(ROOT / "gunicorn.conf.py"))
        gunicorn = Config()
        for name in ("accesslog", "access_log_format"):
            gunicorn.set(name, config[name])
        return config["logger_class"](gunicorn)

    yield made
    for name in ("gunicorn.access", "gunicorn.error"):
        logging.getLogger(name).handlers.clear()


def test_access_log_and_gunicorns_errors_are_json_too_and_leave_stdout_to_the_audit_log(
    gunicorn_log: Callable[[str], Any], capsys: pytest.CaptureFixture[str]
) -> None:
    log = gunicorn_log("json")
    response = SimpleNamespace(status="200 OK", sent=5, headers=[])
    environ = {
        "REQUEST_METHOD": "GET",
        "RAW_URI": "/o/acme/users/?q=mara",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "203.0.113.7",
    }
    request_id = transaction_id.begin()
    log.access(response, SimpleNamespace(headers=[]), environ, timedelta(milliseconds=12))
    transaction_id.end()
    log.error("Worker failed to boot.")

    told = capsys.readouterr()
    access, error = map(json.loads, told.err.splitlines())
    assert told.out == ""
    assert access["transaction_id"] == str(request_id)
    assert {
        name: access[name] for name in ("logger", "client", "method", "path", "status", "bytes", "milliseconds")
    } == {
        "logger": "gunicorn.access",
        "client": "203.0.113.7",
        "method": "GET",
        "path": "/o/acme/users/",
        "status": 200,
        "bytes": 5,
        "milliseconds": 12,
    }
    assert (error["logger"], error["message"]) == ("gunicorn.error", "Worker failed to boot.")


def test_plain_access_log_leaves_stdout_to_the_audit_log(
    gunicorn_log: Callable[[str], Any], capsys: pytest.CaptureFixture[str]
) -> None:
    log = gunicorn_log("plain")
    environ = {"REQUEST_METHOD": "GET", "RAW_URI": "/", "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "203.0.113.7"}
    response = SimpleNamespace(status="200 OK", sent=5, headers=[])
    log.access(response, SimpleNamespace(headers=[]), environ, timedelta(milliseconds=12))

    assert tuple(capsys.readouterr()) == ("", '203.0.113.7 "GET /" 200 5 12ms\n')
