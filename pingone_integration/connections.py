"""Connect, keep connected, disconnect: what happens to a Connection as a whole."""

from dataclasses import dataclass
from uuid import UUID, uuid4

from pingone_integration.api import AccessToken, PingOneApi
from pingone_integration.errors import NotConnected
from pingone_integration.models import Connection
from pingone_integration.regions import api_url_for


@dataclass(frozen=True)
class _StoredToken:
    """The connection's access token as it was when the connection was read."""

    connection: Connection

    def current(self) -> AccessToken:
        return AccessToken(self.connection.unseal("access_token"), self.connection.token_version)

    def replace(self, rejected: AccessToken) -> AccessToken:
        return rejected


def open_api(connection: Connection, *, transaction_id: UUID | None = None) -> PingOneApi:
    """The API of the connection's managed environment; the token is looked up, and refreshed, when a call is made.

    Raises NotConnected when there is no grant or no managed environment.
    """
    if not connection.has_grant or connection.managed_environment_id is None:
        raise NotConnected
    return PingOneApi(
        base_url=f"{api_url_for(connection.auth_url)}/v1/environments/{connection.managed_environment_id}",
        tokens=_StoredToken(connection),
        transaction_id=transaction_id or uuid4(),
    )
