from collections.abc import Iterator

import pytest
import respx

from console.models import Organization
from pingone_integration.calls.api import PingOneApi
from pingone_integration.connection.open_api import open_api
from pingone_integration.models import Connection


@pytest.fixture
def api(acme: Organization) -> PingOneApi:
    """Return the API client of Acme's environment."""
    return open_api(acme.connection)


@pytest.fixture
def connection(acme: Organization) -> Connection:
    """Return Acme's connection as before the first Connect: settings and nothing else."""
    row = acme.connection
    row.state = Connection.State.NOT_CONNECTED
    row.sealed_access_token = row.sealed_refresh_token = ""
    row.access_token_expires_at = row.managed_environment_id = None
    row.managed_environment_name = ""
    row.save()
    return row


@pytest.fixture
def wire() -> Iterator[respx.MockRouter]:
    with respx.mock(assert_all_called=False) as router:
        yield router
