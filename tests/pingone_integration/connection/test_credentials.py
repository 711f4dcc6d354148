"""Storing the connection settings: tokens and requests of the old application must not reach the new one."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from console.models import Organization
from pingone_integration.connection import credentials
from pingone_integration.connection.credentials import Credentials
from pingone_integration.models import AuthorizationRequest, Connection
from tests.support.people import ADMINISTRATORS, AUTH_URL, ENVIRONMENT

pytestmark = pytest.mark.database

SAME = Credentials(
    client_id="7c6b5a49-0000-4000-8000-000000000001",
    auth_url=AUTH_URL,
    environment_id=ADMINISTRATORS,
    client_authentication=Connection.ClientAuthentication.BASIC,
)
OTHERS: list[dict[str, Any]] = [
    {"client_id": "another"},
    {"auth_url": "https://auth.pingone.eu"},
    {"environment_id": UUID(int=1)},
]


@pytest.mark.parametrize("change", OTHERS, ids=["client", "host", "environment"])
@pytest.mark.parametrize("state", [Connection.State.CONNECTED, Connection.State.RECONNECT_NEEDED])
def test_changed_application_would_end_the_connection(
    acme: Organization, change: dict[str, Any], state: Connection.State
) -> None:
    acme.connection.state = state

    assert credentials.would_end_access(acme.connection, replace(SAME, **change))


@pytest.mark.parametrize("change", [{}, {"client_authentication": Connection.ClientAuthentication.POST}])
def test_same_application_keeps_the_connection(acme: Organization, change: dict[str, Any]) -> None:
    assert not credentials.would_end_access(acme.connection, replace(SAME, **change))


@pytest.mark.parametrize(("change", "waits"), [({}, True), *((change, False) for change in OTHERS)])
def test_connect_begun_with_another_application_is_dropped(
    acme: Organization, change: dict[str, Any], waits: bool
) -> None:
    AuthorizationRequest.objects.create(state_digest="d", connection=acme.connection, bound_to="me")

    credentials.store(acme.connection, replace(SAME, **change), client_secret=None)

    assert AuthorizationRequest.objects.exists() == waits


def test_unchanged_form_keeps_the_managed_environment_and_the_secret(acme: Organization) -> None:
    credentials.store(acme.connection, SAME, client_secret=None)

    acme.connection.refresh_from_db()
    assert acme.connection.managed_environment_id == ENVIRONMENT
    assert acme.connection.unseal("client_secret") == "the-client-secret"
