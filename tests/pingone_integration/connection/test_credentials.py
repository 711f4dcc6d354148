"""Storing the connection settings: tokens and requests of the old application must not reach the new one."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from console.models import Organization
from pingone_integration.connection import credentials
from pingone_integration.connection.credentials import Credentials
from pingone_integration.errors import InvalidApiUrl
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


@pytest.mark.parametrize("change", OTHERS, ids=["client", "host", "environment"])
def test_tokens_of_another_application_are_erased_with_the_change_and_returned(
    acme: Organization, change: dict[str, Any]
) -> None:
    ended = credentials.store(acme.connection, replace(SAME, **change), client_secret=None)

    stored = Connection.objects.get()
    assert not stored.has_tokens
    assert stored.state == Connection.State.DISCONNECTED
    assert ended is not None
    assert (ended.auth_url, ended.unseal("refresh_token")) == (AUTH_URL, "the-refresh-token")


def test_same_application_returns_no_ended_grant(acme: Organization) -> None:
    assert credentials.store(acme.connection, SAME, client_secret=None) is None
    assert Connection.objects.get().has_tokens


@pytest.mark.parametrize("change", [{}, *OTHERS], ids=["nothing", "client", "host", "environment"])
def test_settings_can_be_saved_after_the_stored_host_left_the_list(
    acme: Organization, settings: Any, change: dict[str, Any]
) -> None:
    settings.PINGONE_CUSTOM_HOSTS = {}
    entered = replace(SAME, **{"auth_url": "https://auth.pingone.eu"} | change)

    credentials.store(acme.connection, entered, client_secret="another")

    stored = Connection.objects.get()
    assert (stored.auth_url, stored.unseal("client_secret")) == ("https://auth.pingone.eu", "another")
    assert stored.managed_environment_id is None


@pytest.mark.parametrize("fails", ["the host is not listed", "the row cannot be written"])
def test_tokens_are_kept_if_the_settings_are_not_saved(
    acme: Organization, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    entered = replace(SAME, client_id="another")
    if fails == "the host is not listed":
        entered = replace(entered, auth_url="https://auth.evil.test")
    else:
        monkeypatch.setattr(Connection, "save", lambda *_, **__: 1 / 0)
    before = Connection.objects.values().get()

    with pytest.raises((InvalidApiUrl, ZeroDivisionError)):
        credentials.store(acme.connection, entered, client_secret=None)

    assert Connection.objects.values().get() == before
    assert not acme.connection.events.exists()
