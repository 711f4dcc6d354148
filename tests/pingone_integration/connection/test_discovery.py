"""The discovery document of an environment: accepted only while all its endpoints stay on the Auth URL's host."""

from typing import Any

import httpx
import pytest
import respx

from pingone_integration.connection import authorization
from pingone_integration.errors import (
    ConnectionFailure,
    InvalidApiUrl,
    PingOneError,
    SettingsIncomplete,
    Unavailable,
    UnknownEnvironment,
)
from pingone_integration.models import AuthorizationRequest, Connection
from tests.support.people import ADMINISTRATORS, AUTH_URL, ENVIRONMENT
from tests.support.sign_on import CALLBACK, ISSUER, MINE, begin, discovery_document


def test_incomplete_settings_are_refused_before_any_call(connection: Connection, wire: respx.MockRouter) -> None:
    connection.sealed_client_secret = ""

    with pytest.raises(SettingsIncomplete):
        begin(connection, wire)

    assert wire.calls.call_count == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": f"{AUTH_URL}/{ENVIRONMENT}/as"},
        {"token_endpoint": "https://elsewhere.test/token"},
        {"token_endpoint": f"{AUTH_URL}.elsewhere.test/token"},
        {"jwks_uri": "http://169.254.169.254/latest"},
        {"revocation_endpoint": None},
        {"authorization_endpoint": f"{AUTH_URL}@elsewhere.test/"},
    ],
    ids=str,
)
def test_discovery_document_that_points_elsewhere_is_not_followed(
    connection: Connection, wire: respx.MockRouter, changes: dict
) -> None:
    document = discovery_document() | changes
    wire.get(f"{ISSUER}/.well-known/openid-configuration").respond(json=document)

    with pytest.raises(InvalidApiUrl):
        authorization.begin(connection, redirect_uri=CALLBACK, bound_to=MINE)

    assert wire.calls.call_count == 1


def test_auth_url_that_is_no_longer_listed_is_not_contacted(
    connection: Connection, wire: respx.MockRouter, settings: Any
) -> None:
    settings.PINGONE_CUSTOM_HOSTS = {}

    with pytest.raises(InvalidApiUrl):
        begin(connection, wire)

    assert wire.calls.call_count == 0


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (httpx.Response(404), UnknownEnvironment),
        (httpx.Response(400, json={"code": "INVALID_REQUEST"}), UnknownEnvironment),
        (httpx.Response(503, html="<h1>busy</h1>"), Unavailable),
        (httpx.Response(200, html="<h1>sign in to the network</h1>"), Unavailable),
        (httpx.Response(302, headers={"Location": "https://elsewhere.test/"}), Unavailable),
        (httpx.ConnectError("no such host"), ConnectionFailure),
        (httpx.ReadTimeout("no answer"), ConnectionFailure),
    ],
    ids=repr,
)
def test_sign_on_service_that_fails_is_reported_before_the_browser_leaves(
    connection: Connection, wire: respx.MockRouter, answer: Any, expected: type[PingOneError]
) -> None:
    for issuer in (ISSUER, f"{AUTH_URL}/as"):
        wire.get(f"{issuer}/.well-known/openid-configuration").mock(side_effect=[answer])

    with pytest.raises(expected):
        authorization.begin(connection, redirect_uri=CALLBACK, bound_to=MINE)

    assert not AuthorizationRequest.objects.exists()


def test_custom_domain_has_no_environment_in_its_paths(connection: Connection, wire: respx.MockRouter) -> None:
    issuer = f"{AUTH_URL}/as"
    wire.get(f"{ISSUER}/.well-known/openid-configuration").respond(404)
    wire.get(f"{issuer}/.well-known/openid-configuration").respond(json=discovery_document(issuer))

    url = authorization.begin(connection, redirect_uri=CALLBACK, bound_to=MINE)

    assert url.startswith(f"{issuer}/authorize?")


def test_regional_host_is_only_asked_with_the_environment_in_the_path(
    connection: Connection, wire: respx.MockRouter
) -> None:
    connection.auth_url = "https://auth.pingone.eu"
    wire.get(f"https://auth.pingone.eu/{ADMINISTRATORS}/as/.well-known/openid-configuration").respond(404)

    with pytest.raises(UnknownEnvironment):
        authorization.begin(connection, redirect_uri=CALLBACK, bound_to=MINE)
