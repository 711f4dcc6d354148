"""The client_credentials grant: an application acts for itself; and client authentication."""

import time
from uuid import uuid4

import httpx
import pytest

from tests.support.oauth import assert_error, claims_of, console, service
from tests.support.sandbox_server import Sandbox


def test_application_gets_a_token_of_its_own(sandbox: Sandbox, http: httpx.Client):
    application = service(sandbox, access_token_duration=120)

    reply = application.token(http, grant_type="client_credentials").json()

    assert reply["token_type"] == "Bearer"
    assert reply["expires_in"] == 120
    assert "refresh_token" not in reply
    claims = claims_of(sandbox, http, reply["access_token"])
    assert "sub" not in claims
    assert "sid" not in claims
    assert (claims["iss"], claims["aud"]) == (sandbox.issuer, [sandbox.url])
    assert (claims["env"], claims["org"]) == (sandbox.details["environment_id"], sandbox.details["organization_id"])
    assert claims["client_id"] == application.client_id
    assert claims["exp"] - claims["iat"] == 120
    assert abs(claims["iat"] - time.time()) < 60


def test_token_has_a_unique_id(sandbox: Sandbox, http: httpx.Client):
    application = service(sandbox)

    tokens = [application.token(http, grant_type="client_credentials").json()["access_token"] for _ in range(2)]

    assert len({claims_of(sandbox, http, token)["jti"] for token in tokens}) == 2


def test_application_without_the_grant_type_is_refused(sandbox: Sandbox, http: httpx.Client):
    response = console(sandbox).token(http, grant_type="client_credentials")

    assert_error(response, 400, "unauthorized_client")


def test_scope_that_the_application_lacks_is_refused(sandbox: Sandbox, http: httpx.Client):
    response = service(sandbox).token(http, grant_type="client_credentials", scope="p1:read:user")

    assert_error(response, 400, "invalid_scope")


METHODS = ["CLIENT_SECRET_BASIC", "CLIENT_SECRET_POST"]


@pytest.mark.parametrize("wanted", METHODS)
@pytest.mark.parametrize("used", METHODS)
def test_client_authentication_accepts_only_the_configured_method(
    sandbox: Sandbox, http: httpx.Client, wanted: str, used: str
):
    application = service(sandbox, token_endpoint_auth_method=wanted)
    form = {"grant_type": "client_credentials"}
    secret = {"client_id": application.client_id, "client_secret": application.client_secret}

    if used == "CLIENT_SECRET_BASIC":
        response = http.post(f"{sandbox.issuer}/token", data=form, auth=application.basic)
    else:
        response = http.post(f"{sandbox.issuer}/token", data=form | secret)

    if used == wanted:
        assert response.status_code == 200
    else:
        assert_error(response, 401, "invalid_client")


def test_public_application_cannot_act_for_itself(sandbox: Sandbox, http: httpx.Client):
    application = service(sandbox, token_endpoint_auth_method="NONE")

    form = {"grant_type": "client_credentials", "client_id": application.client_id}

    assert_error(http.post(f"{sandbox.issuer}/token", data=form), 401, "invalid_client")


@pytest.mark.parametrize(
    "auth",
    [("client", "wrong"), ("not-an-id", "its-own-secret"), (str(uuid4()), "its-own-secret"), ("client", "")],
    ids=["wrong secret", "malformed id", "unknown id", "no secret"],
)
def test_wrong_id_or_secret_is_an_invalid_client(sandbox: Sandbox, http: httpx.Client, auth: tuple[str, str]):
    client_id = service(sandbox).client_id if auth[0] == "client" else auth[0]

    response = http.post(
        f"{sandbox.issuer}/token", data={"grant_type": "client_credentials"}, auth=(client_id, auth[1])
    )

    assert_error(response, 401, "invalid_client")


@pytest.mark.parametrize("header", ["Basic", "Basic !!", "Basic w7g6/w==", "Basic /////w==", "Bearer x", "Basic æ"])
def test_malformed_authorization_header_is_an_invalid_client(sandbox: Sandbox, http: httpx.Client, header: str):
    response = http.post(
        f"{sandbox.issuer}/token",
        data={"grant_type": "client_credentials"},
        headers=[(b"Authorization", header.encode("latin-1"))],
    )

    assert_error(response, 401, "invalid_client")


def test_disabled_application_is_an_invalid_client(sandbox: Sandbox, http: httpx.Client):
    response = service(sandbox, enabled=False).token(http, grant_type="client_credentials")

    assert_error(response, 401, "invalid_client")


def test_application_of_another_environment_is_an_invalid_client(sandbox: Sandbox, http: httpx.Client):
    application = service(sandbox)
    elsewhere = f"{sandbox.url}/{sandbox.details['managed_environment_id']}/as/token"

    response = http.post(elsewhere, data={"grant_type": "client_credentials"}, auth=application.basic)

    assert_error(response, 401, "invalid_client")


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({}, "invalid_request"),
        ({"scope": "openid"}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": 'a"\\\u00e9'}, "unsupported_grant_type"),
        ({"grant_type": ["client_credentials", "client_credentials"]}, "invalid_request"),
        ({"grant_type": "client_credentials", "client_secret": "once more"}, "invalid_request"),
    ],
    ids=["empty", "no grant type", "unknown", "hostile", "given twice", "two ways at once"],
)
def test_malformed_token_request_is_refused(
    sandbox: Sandbox, http: httpx.Client, form: dict[str, str | list[str]], code: str
):
    response = http.post(f"{sandbox.issuer}/token", data=form, auth=service(sandbox).basic)

    assert_error(response, 400, code)


def test_parameters_in_the_address_are_refused(sandbox: Sandbox, http: httpx.Client):
    address = f"{sandbox.issuer}/token?grant_type=client_credentials"

    assert_error(http.post(address, data={"scope": ""}, auth=service(sandbox).basic), 400, "invalid_request")
