"""A connection that an administrator has approved at the sandbox."""

from collections.abc import Iterator
from typing import Any

import pytest

from pingone_integration.models import Connection
from tests.support.relay import Relay, relay_to
from tests.support.sandbox_connection import connect, enter
from tests.support.sandbox_server import Sandbox


@pytest.fixture
def unconnected(transactional_db: None, sandbox: Sandbox, settings: Any) -> Connection:
    """Return a connection with the settings of an org admin, before Connect."""
    settings.PINGONE_CUSTOM_HOSTS = {sandbox.url: sandbox.url}
    return enter(sandbox)


@pytest.fixture
def connection(unconnected: Connection, sandbox: Sandbox) -> Connection:
    """Return a connected connection with a grant of its own."""
    return connect(unconnected, sandbox)


@pytest.fixture
def relay(sandbox: Sandbox) -> Iterator[Relay]:
    with relay_to(sandbox) as relay:
        yield relay


@pytest.fixture
def through_relay(unconnected: Connection, relay: Relay, settings: Any) -> Connection:
    """Return an unconnected connection that reaches the sandbox only through the relay."""
    settings.PINGONE_CUSTOM_HOSTS = {relay.url: relay.url}
    unconnected.auth_url = relay.url
    unconnected.save(update_fields=["auth_url"])
    return unconnected
