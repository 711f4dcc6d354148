"""A sandbox, and an organization's connection that somebody has approved there."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest

from pingone_integration import authorization
from pingone_integration.models import Connection
from tests.integration.relay import Relay, relay_to
from tests.sandbox_server import Sandbox, running_sandbox, sign_on

BOUND_TO = "digest of a session"
GRACE_S = 600  # as README.md recommends


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


@pytest.fixture
def relay(sandbox: Sandbox) -> Iterator[Relay]:
    with relay_to(sandbox) as relay:
        yield relay


@pytest.fixture
def through_relay(unconnected: Connection, relay: Relay, settings: Any) -> Connection:
    """Everything this connection says to the sandbox, and hears from it, passes through the relay."""
    settings.PINGONE_CUSTOM_HOSTS = {relay.url: relay.url}
    unconnected.auth_url = relay.url
    unconnected.save(update_fields=["auth_url"])
    return unconnected


def connect(connection: Connection, sandbox: Sandbox, username: str = "ada.admin") -> Connection:
    """Press Connect, sign on at the sandbox, approve, and come back."""
    redirect_uri = sandbox.details["redirect_uris"][0]
    there = authorization.begin(connection, redirect_uri=redirect_uri, bound_to=BOUND_TO)
    return authorization.finish(**answer(sign_on(there, username)), redirect_uri=redirect_uri, bound_to=BOUND_TO)


def has_grace_period(connection: Connection, sandbox: Sandbox) -> None:
    """From now on its application at the sandbox is one with the grace period."""
    application = sandbox.copy(
        "sandbox_application",
        sandbox.details["client_id"],
        refresh_token_rolling_grace_period_duration=GRACE_S,
    )
    connection.client_id = str(application)
    connection.save(update_fields=["client_id"])


def answer(address: str) -> dict[str, str]:
    """What PingOne's redirect says, e.g. `code` and `state`."""
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
