"""A sandbox, and an organization's connection that somebody has approved there."""

from collections.abc import Iterator
from typing import Any

import pytest

from pingone_integration.models import Connection
from tests.integration.relay import Relay, relay_to
from tests.sandbox_connection import connect, enter
from tests.sandbox_server import Sandbox, running_sandbox

GRACE_S = 600  # as README.md recommends


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running_sandbox(tmp_path_factory.mktemp("sandbox"), "--users", "0") as started:
        yield started


@pytest.fixture
def unconnected(transactional_db: None, sandbox: Sandbox, settings: Any) -> Connection:
    """What an org admin has entered, before pressing Connect."""
    settings.PINGONE_CUSTOM_HOSTS = {sandbox.url: sandbox.url}
    return enter(sandbox)


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


def has_grace_period(connection: Connection, sandbox: Sandbox) -> None:
    """From now on its application at the sandbox is one with the grace period."""
    application = sandbox.copy(
        "sandbox_application",
        sandbox.details["client_id"],
        refresh_token_rolling_grace_period_duration=GRACE_S,
    )
    connection.client_id = str(application)
    connection.save(update_fields=["client_id"])
