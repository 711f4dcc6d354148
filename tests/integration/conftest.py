"""A sandbox, and an organization's connection that somebody has approved there."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest

from pingone_integration import authorization
from pingone_integration.models import Connection
from tests.sandbox_server import Sandbox, running_sandbox, sign_on

BOUND_TO = "digest of a session"


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running_sandbox(tmp_path_factory.mktemp("sandbox"), "--users", "0") as started:
        yield started


@pytest.fixture
def unconnected(transactional_db: None, sandbox: Sandbox, settings: Any) -> Connection:
    """What an org admin has entered, before pressing Connect."""
    settings.PINGONE_CUSTOM_HOSTS = {sandbox.url: sandbox.url}
    connection = Connection(
        client_id=sandbox.details["client_id"],
        auth_url=sandbox.details["auth_url"],
        environment_id=UUID(sandbox.details["environment_id"]),
    )
    connection.sealed_client_secret = connection.seal("client_secret", sandbox.details["client_secret"])
    connection.save(force_insert=True)
    return connection


@pytest.fixture
def connection(unconnected: Connection, sandbox: Sandbox) -> Connection:
    """Connected, with a grant that no other test uses."""
    return connect(unconnected, sandbox)


def connect(connection: Connection, sandbox: Sandbox, username: str = "ada.admin") -> Connection:
    """Press Connect, sign on at the sandbox, approve, and come back."""
    redirect_uri = sandbox.details["redirect_uris"][0]
    there = authorization.begin(connection, redirect_uri=redirect_uri, bound_to=BOUND_TO)
    return authorization.finish(**answer(sign_on(there, username)), redirect_uri=redirect_uri, bound_to=BOUND_TO)


def answer(address: str) -> dict[str, str]:
    """What PingOne's redirect says, e.g. `code` and `state`."""
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
