import pytest

from console.models import Organization
from pingone_integration import connections
from pingone_integration.api import PingOneApi


@pytest.fixture
def api(acme: Organization) -> PingOneApi:
    """Calls into Acme's environment."""
    return connections.open_api(acme.connection)
