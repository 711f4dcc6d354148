"""The settings of the PingOne application: comparison and storage."""

from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from pingone_integration.connection import grants
from pingone_integration.connection.regions import api_url_for
from pingone_integration.errors import InvalidApiUrl
from pingone_integration.models import AuthorizationRequest, Connection


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """The settings without the client secret."""

    client_id: str
    auth_url: str  # scheme and host, known to regions.api_url_for
    environment_id: UUID
    client_authentication: Connection.ClientAuthentication


def would_end_access(connection: Connection, entered: Credentials) -> bool:
    """Return whether the stored tokens belong to another application or environment than `entered`."""
    return connection.has_tokens and _is_other(connection, entered)


def store(connection: Connection, entered: Credentials, *, client_secret: str | None) -> Connection | None:
    """Store the settings; keep the stored secret if `client_secret` is None. Raises InvalidApiUrl before any write.

    Tokens of another application are erased in the same transaction, so that they are never sent to another Auth URL
    and never lost for settings that were not saved. Returns the row with them, for `grants.revoke`, or None.
    A new API URL clears the managed environment. A new application deletes the attempts to connect.
    """
    api_url = api_url_for(entered.auth_url)
    with transaction.atomic():
        ended = None
        if would_end_access(connection, entered):
            ended = grants.end(connection, cause="The settings of another application or environment were saved.")
        _write(connection, entered, api_url=api_url, client_secret=client_secret)
    return ended


def _write(connection: Connection, entered: Credentials, *, api_url: str, client_secret: str | None) -> None:
    if connection.auth_url and _api_url_of(connection) != api_url:
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


def _api_url_of(connection: Connection) -> str | None:
    """Return the API URL of the stored Auth URL, or None if its host is no longer listed."""
    try:
        return api_url_for(connection.auth_url)
    except InvalidApiUrl:
        return None


def _is_other(connection: Connection, entered: Credentials) -> bool:
    return (connection.client_id, connection.auth_url, connection.environment_id) != (
        entered.client_id,
        entered.auth_url,
        entered.environment_id,
    )
