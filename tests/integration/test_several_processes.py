"""The console on gunicorn with four processes, as `make run` serves it, on SQLite or DATABASE_URL."""

import json
import re
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from uuid import UUID

import pytest

from tests.support.console_server import ConsoleServer, callback_address, free_port, running_console
from tests.support.databases import change, new_database, read
from tests.support.refreshing import is_live, refreshes
from tests.support.sandbox_server import Sandbox, new_browser, running_sandbox

pytestmark = pytest.mark.database

PROCESSES = 4
REQUESTS = 40
EXPIRE = """
UPDATE pingone_integration_connection SET access_token_expires_at = '2020-01-01 00:00:00+00:00'
WHERE state = 'connected'
"""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[ConsoleServer, Sandbox]]:
    port = free_port()
    options = ("--users", "30", "--redirect-uri", callback_address(port))
    settings = {
        "WEB_CONCURRENCY": str(PROCESSES),
        "METRICS_TOKEN": secrets.token_urlsafe(32),
        "LOG_FORMAT": "json",
        "AUDIT_LOG": str(tmp_path / "audit.log"),
        "GUNICORN_CMD_ARGS": "--access-logformat 'answered by process %(p)s: %(s)s'",
    }
    with (
        running_sandbox(tmp_path, *options) as sandbox,
        new_database(tmp_path) as url,
        running_console(tmp_path, port, sandbox, DATABASE_URL=url, **settings) as console,
    ):
        yield console, sandbox


def test_forty_requests_at_once_to_four_processes_cause_a_single_refresh(served: tuple[ConsoleServer, Sandbox]) -> None:
    """Afterwards the logs are JSON, and the counts of all are in the database, where each adds its own at its end."""
    console, sandbox = served
    (grant,) = (UUID(row["id"]) for row in sandbox.sql("SELECT id FROM sandbox_oauth_grant"))
    together = Barrier(REQUESTS)

    def ask(_: int) -> tuple[int, bool]:
        with new_browser() as browser:
            browser.cookies = operator.cookies
            together.wait(timeout=30)
            page = browser.get(f"{console.url}/o/acme/users/?limit=25")
            return page.status_code, "mara" in page.text

    with console.browser("agent@acme.test") as operator:
        assert change(console.environment["DATABASE_URL"], EXPIRE) == 1
        with ThreadPoolExecutor(REQUESTS) as at_once:
            so_far = len(console.log())
            answers = list(at_once.map(ask, range(REQUESTS)))

    assert answers == [(200, True)] * REQUESTS
    assert refreshes(sandbox, grant) == 1
    assert is_live(sandbox, grant)
    assert len(set(re.findall(r"answered by process <(\d+)>", console.log()[so_far:]))) > 1

    console.stop()
    lines = [json.loads(line) for line in console.log().splitlines()]
    answered = [line for line in lines if line["logger"] == "gunicorn.access" and line["path"] == "/o/acme/users/"]
    assert len({line["transaction_id"] for line in answered}) == REQUESTS
    audited = [json.loads(line) for line in Path(console.environment["AUDIT_LOG"]).read_text().splitlines()]
    assert "operator.signed-in" in {line["action"] for line in audited}
    assert counts(console)["pingone_token_refreshes", '{"outcome": "success"}']["_total"] == 1
    called = '{"method": "GET", "outcome": "success", "service": "api"}'
    assert counts(console)["pingone_call_seconds", called]["_count"] >= REQUESTS


def counts(console: ConsoleServer) -> dict[tuple[str, str], dict[str, float]]:
    """Return the stored metrics."""
    rows = read(console.environment["DATABASE_URL"], 'SELECT metric, labels, "values" FROM console_metricseries')
    return {(metric, labels): json.loads(found) if isinstance(found, str) else found for metric, labels, found in rows}
