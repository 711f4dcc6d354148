"""The console on gunicorn with four processes, as `make run` serves it, on SQLite or DATABASE_URL."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from uuid import UUID

import pytest

from tests.support.console_server import ConsoleServer, callback_address, free_port, running_console
from tests.support.databases import change, new_database
from tests.support.refreshing import is_live, refreshes
from tests.support.sandbox_server import Sandbox, new_browser, running_sandbox

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
        "GUNICORN_CMD_ARGS": "--access-logformat 'answered by process %(p)s: %(s)s'",
    }
    with (
        running_sandbox(tmp_path, *options) as sandbox,
        new_database(tmp_path) as url,
        running_console(tmp_path, port, sandbox, DATABASE_URL=url, **settings) as console,
    ):
        yield console, sandbox


def test_forty_requests_at_once_to_four_processes_cause_a_single_refresh(served: tuple[ConsoleServer, Sandbox]) -> None:
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
