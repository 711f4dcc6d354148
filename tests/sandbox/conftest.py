"""One sandbox for all tests of it; each test takes an application or a user of its own when it changes one."""

from collections.abc import Iterator

import httpx
import pytest

from tests.sandbox_server import Sandbox, new_browser, running_sandbox


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running_sandbox(tmp_path_factory.mktemp("sandbox"), "--users", "0") as started:
        yield started


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    """A program or a browser that talks to the sandbox: it keeps cookies."""
    with new_browser() as client:
        yield client
