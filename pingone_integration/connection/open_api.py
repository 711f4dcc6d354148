"""The API of a connection's managed environment."""

from dataclasses import replace
from uuid import UUID

from pingone_integration.calls import transaction_id as transactions
from pingone_integration.calls.api import PingOneApi
from pingone_integration.connection.regions import api_url_for, region_of
from pingone_integration.connection.tokens import StoredTokens, require_grant
from pingone_integration.errors import NoEnvironmentChosen
from pingone_integration.models import Connection


def open_api(connection: Connection, *, transaction_id: UUID | None = None) -> PingOneApi:
    """Return the API of the connection's managed environment.

    Calls send `transaction_id`, or that of the request. Each looks up the token, and refreshes it if necessary. The
    first one takes `connection` if it was just read.
    Raises NotConnected, the error that ended the grant, NoEnvironmentChosen or InvalidApiUrl.
    """
    require_grant(connection)
    if connection.managed_environment_id is None:
        raise NoEnvironmentChosen
    return PingOneApi(
        base_url=f"{api_url_for(connection.auth_url)}/v1/environments/{connection.managed_environment_id}",
        connection_id=connection.pk,
        tokens=StoredTokens(connection.pk, opened_with=connection),
        transaction_id=transaction_id or transactions.current_or_new(),
    )


def open_auth_api(connection: Connection) -> PingOneApi:
    """Return the calls for the managed environment at the authentication host of its region. Raises as open_api.

    A custom domain belongs to the environment of the administrators: the managed one answers at the region's own host.
    """
    api, region = open_api(connection), region_of(connection.auth_url)
    host = region.auth_url if region else connection.auth_url
    return replace(api, base_url=f"{host}/{connection.managed_environment_id}")
