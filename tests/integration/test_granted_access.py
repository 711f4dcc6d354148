"""Using a grant at the sandbox: environments, pagination cursors, and both client authentication methods."""

from typing import Any
from uuid import UUID

import pytest

from pingone_integration.calls.api import PingOneApi
from pingone_integration.calls.gate import AccessToken
from pingone_integration.connection import environments
from pingone_integration.connection.open_api import open_api
from pingone_integration.connection.tokens import StoredTokens
from pingone_integration.errors import MissingPermission, NotFound, StaleCursor
from pingone_integration.models import Connection
from tests.support.sandbox_connection import connect
from tests.support.sandbox_server import Sandbox


def populations(api: PingOneApi, **more: Any) -> Any:
    return api.get_page("/populations", "populations", lambda item: item.get("name"), query={"limit": 1}, **more)


@pytest.mark.parametrize("method", Connection.ClientAuthentication)
@pytest.mark.parametrize("secret", ["a~b.c_d-e", "50%3A:o'ff + s/e\"c=r&e?t # é漢"])
def test_client_authentication_works_with_any_secret_and_both_methods(
    unconnected: Connection, sandbox: Sandbox, method: Connection.ClientAuthentication, secret: str
) -> None:
    application = sandbox.copy(
        "sandbox_application",
        sandbox.details["client_id"],
        client_secret=secret,
        token_endpoint_auth_method=method.value.upper(),
    )
    unconnected.client_id = str(application)
    unconnected.sealed_client_secret = unconnected.seal("client_secret", secret)
    unconnected.client_authentication = method
    unconnected.save()

    connected = connect(unconnected, sandbox)
    rejected = StoredTokens(connected.pk).current()
    renewed = StoredTokens(connected.pk).renewed(rejected)

    assert connected.state == Connection.State.CONNECTED
    assert renewed.version == rejected.version + 1


def test_only_environment_with_a_role_is_managed_without_asking(connection: Connection, sandbox: Sandbox) -> None:
    managed = UUID(sandbox.details["managed_environment_id"])

    assert connection.managed_environment_id == managed
    assert connection.managed_environment_name == environments.read(connection, managed).name
    assert managed in {one.id for one in environments.visible(connection)}


def test_environment_without_a_role_is_a_missing_permission(connection: Connection, sandbox: Sandbox) -> None:
    connection.managed_environment_id = UUID(sandbox.details["second_environment_id"])
    with pytest.raises(MissingPermission):
        open_api(connection).get("/users", {"limit": 1})
    with pytest.raises(NotFound):
        environments.read(connection, UUID(int=1))


def test_cursor_is_only_valid_with_the_token_of_its_first_page(connection: Connection) -> None:
    api = open_api(connection)
    first = populations(api)
    assert set(populations(api, cursor=first.next_cursor).items).isdisjoint(first.items)

    renewed = StoredTokens(connection.pk).renewed(StoredTokens(connection.pk).current())

    with pytest.raises(StaleCursor):
        populations(api, cursor=first.next_cursor)
    _, _, inner = first.next_cursor.partition(".")
    with pytest.raises(StaleCursor) as told_by_pingone:
        populations(api, cursor=f"{renewed.version}.{inner}")
    assert told_by_pingone.value.trace.status == 400


def test_token_rejected_by_pingone_is_renewed_during_the_call(connection: Connection) -> None:
    connection.sealed_access_token = connection.seal("access_token", "e30.e30.e30")
    connection.save(update_fields=["sealed_access_token"])

    assert populations(open_api(connection)).items
    assert StoredTokens(connection.pk).current() != AccessToken("e30.e30.e30", connection.token_version)
