"""The settings of the PingOne application: compared with the stored ones, and stored."""

from dataclasses import dataclass
from uuid import UUID

from pingone_integration.connection.regions import api_url_for
from pingone_integration.models import AuthorizationRequest, Connection


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """All but the client secret, which travels alone."""

    client_id: str
    auth_url: str  # scheme and host, one that regions.api_url_for knows
    environment_id: UUID
    client_authentication: Connection.ClientAuthentication


def would_end_access(connection: Connection, entered: Credentials) -> bool:
    """A grant belongs to one application in one environment: as another one it is worth nothing.

    Its tokens have to be gone before `store`: they must never be sent to another Auth URL.
    """
    return connection.has_tokens and _is_other(connection, entered)


def store(connection: Connection, entered: Credentials, *, client_secret: str | None) -> None:
    """`client_secret` None: keep the stored one. Raises InvalidApiUrl before anything is written.

    The managed environment is forgotten when the API it was seen at is no longer the connection's, and an
    attempt to connect that was begun with another application.
    """
    api_url = api_url_for(entered.auth_url)
    if connection.auth_url and api_url_for(connection.auth_url) != api_url:
        connection.managed_environment_id = None
        connection.managed_environment_name = ""
    if _is_other(connection, entered):
        AuthorizationRequest.objects.filter(connection=connection).delete()
    connection.client_id = entered.client_id
    connection.auth_url = entered.auth_url
    connection.environment_id = entered.environment_id
    connection.client_authentication = entered.client_authentication
    if client_secret is not None:
        connection.sealed_client_secret = connection.seal("client_secret", client_secret)
    connection.save(
        update_fields=[
            "client_id",
            "auth_url",
            "environment_id",
            "client_authentication",
            "sealed_client_secret",
            "managed_environment_id",
            "managed_environment_name",
        ]
    )


def _is_other(connection: Connection, entered: Credentials) -> bool:
    return (connection.client_id, connection.auth_url, connection.environment_id) != (
        entered.client_id,
        entered.auth_url,
        entered.environment_id,
    )
