"""Tokens in use: introspection, revocation, userinfo and the API."""

import base64
import json
import time
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.support.oauth import assert_error, bearer, claims_of, console, service
from tests.support.sandbox_server import Sandbox


def test_introspection_returns_the_claims_of_an_access_token(sandbox: Sandbox, http: httpx.Client):
    application = console(sandbox)
    token = application.tokens(http)["access_token"]

    told = application.introspect(http, token)

    assert told["active"] is True
    assert told["token_type"] == "Bearer"
    assert claims_of(sandbox, http, token).items() <= told.items()


def test_introspection_shows_whether_a_refresh_token_is_used_up(sandbox: Sandbox, http: httpx.Client):
    application = console(sandbox)
    token = application.tokens(http)["refresh_token"]

    told = application.introspect(http, token)
    application.refresh(http, token)

    assert (told["active"], told["scope"]) == (True, "openid profile email")
    assert told["exp"] == pytest.approx(time.time() + 2_592_000, abs=60)
    assert application.introspect(http, token) == {"active": False}


@pytest.mark.parametrize("garbage", ["made-up", "a.b.c", "é.é.é", "eyJhbGciOiJub25lIn0.e30.", "x" * 9000])
def test_introspection_of_garbage_is_inactive(sandbox: Sandbox, http: httpx.Client, garbage: str):
    assert console(sandbox).introspect(http, garbage) == {"active": False}


def test_id_token_is_no_access_token(sandbox: Sandbox, http: httpx.Client):
    application = console(sandbox)
    identity = application.tokens(http)["id_token"]

    assert application.introspect(http, identity) == {"active": False}
    assert http.get(f"{sandbox.issuer}/userinfo", headers=bearer(identity)).status_code == 401


def test_introspection_of_another_applications_token_is_inactive(sandbox: Sandbox, http: httpx.Client):
    tokens = console(sandbox).tokens(http)

    assert console(sandbox).introspect(http, tokens["access_token"]) == {"active": False}
    assert console(sandbox).introspect(http, tokens["refresh_token"]) == {"active": False}


@pytest.mark.parametrize("endpoint", ["introspect", "revoke"])
def test_unknown_application_is_refused(sandbox: Sandbox, http: httpx.Client, endpoint: str):
    response = http.post(f"{sandbox.issuer}/{endpoint}", data={"token": "x"}, auth=("nobody", "knows"))

    assert_error(response, 401, "invalid_client")


@pytest.mark.parametrize("endpoint", ["introspect", "revoke"])
def test_request_without_a_token_is_malformed(sandbox: Sandbox, http: httpx.Client, endpoint: str):
    application = console(sandbox)
    for form in ({}, {"token_type_hint": "access_token"}):
        response = http.post(f"{sandbox.issuer}/{endpoint}", data=form, auth=application.basic)
        assert_error(response, 400, "invalid_request")


def test_revoked_access_token_ends_at_once_and_alone(sandbox: Sandbox, http: httpx.Client):
    application = console(sandbox)
    tokens = application.tokens(http)

    response = http.post(f"{sandbox.issuer}/revoke", data={"token": tokens["access_token"]}, auth=application.basic)

    assert response.status_code == 200
    assert application.introspect(http, tokens["access_token"]) == {"active": False}
    for address in (f"{sandbox.issuer}/userinfo", f"{sandbox.url}/v1/environments"):
        assert http.get(address, headers=bearer(tokens["access_token"])).status_code == 401
    assert application.refresh(http, tokens["refresh_token"]).status_code == 200


@pytest.mark.parametrize("hint", ["", "refresh_token", "access_token"])
def test_revoked_refresh_token_ends_its_chain_and_access_tokens(sandbox: Sandbox, http: httpx.Client, hint: str):
    application = console(sandbox)
    first = application.tokens(http)
    second = application.refresh(http, first["refresh_token"]).json()
    form = {"token": second["refresh_token"]} | ({"token_type_hint": hint} if hint else {})

    assert http.post(f"{sandbox.issuer}/revoke", data=form, auth=application.basic).status_code == 200

    assert_error(application.refresh(http, second["refresh_token"]), 400, "invalid_grant")
    for tokens in (first, second):
        assert application.introspect(http, tokens["access_token"]) == {"active": False}


def test_revocation_is_repeatable_and_silent_about_unknown_tokens(sandbox: Sandbox, http: httpx.Client):
    application = console(sandbox)
    token = application.tokens(http)["refresh_token"]

    for value in (token, token, "made-up"):
        response = http.post(f"{sandbox.issuer}/revoke", data={"token": value}, auth=application.basic)
        assert response.status_code == 200


def test_revocation_of_another_applications_token_is_refused(sandbox: Sandbox, http: httpx.Client):
    mine = console(sandbox)
    token = mine.tokens(http)["refresh_token"]

    response = http.post(f"{sandbox.issuer}/revoke", data={"token": token}, auth=console(sandbox).basic)

    assert_error(response, 400, "invalid_grant")
    assert mine.refresh(http, token).status_code == 200


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_userinfo_returns_the_claims_of_the_scope(sandbox: Sandbox, http: httpx.Client, method: str):
    application = console(sandbox)
    everything, little = (
        http.request(
            method, f"{sandbox.issuer}/userinfo", headers=bearer(application.tokens(http, scope=scope)["access_token"])
        ).json()
        for scope in ("openid profile email", "openid")
    )

    assert (everything["given_name"], everything["email"]) == ("Ada", "ada.admin@acme.test")
    assert set(little) == {"sub"}
    assert little["sub"] == everything["sub"]


def test_userinfo_requires_a_user_and_openid(sandbox: Sandbox, http: httpx.Client):
    address = f"{sandbox.issuer}/userinfo"
    own = service(sandbox).token(http, grant_type="client_credentials").json()["access_token"]
    without = console(sandbox).tokens(http, scope="profile")["access_token"]

    assert http.get(address).status_code == 401
    assert http.get(address, headers={"Authorization": "Basic eDp5"}).status_code == 401
    assert http.get(address, headers=bearer("made-up")).status_code == 401
    assert http.get(address, headers=bearer(own)).status_code == 403
    assert http.get(address, headers=bearer(without)).status_code == 403


def test_userinfo_of_another_environment_does_not_know_the_token(sandbox: Sandbox, http: httpx.Client):
    token = console(sandbox).tokens(http)["access_token"]
    elsewhere = f"{sandbox.url}/{sandbox.details['managed_environment_id']}/as/userinfo"

    assert http.get(elsewhere, headers=bearer(token)).status_code == 401


def test_api_knows_the_user_of_the_token(sandbox: Sandbox, http: httpx.Client):
    token = console(sandbox).tokens(http)["access_token"]

    environments = http.get(f"{sandbox.url}/v1/environments", headers=bearer(token)).json()["_embedded"]["environments"]

    assert [environment["name"] for environment in environments] == ["Acme production"]


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer made-up", "Basic {token}", "Bearer {token}x", "Bearer {token} x", "{token}"],
)
def test_api_accepts_only_a_valid_bearer_token(sandbox: Sandbox, http: httpx.Client, header: str):
    token = console(sandbox).tokens(http)["access_token"]

    response = http.get(f"{sandbox.url}/v1/environments", headers={"Authorization": header.format(token=token)})

    assert response.status_code == 401
    assert response.json()["details"][0]["code"] == "INVALID_TOKEN"


@pytest.mark.parametrize("kind", ["id_token", "refresh_token"])
def test_api_accepts_no_other_kind_of_token(sandbox: Sandbox, http: httpx.Client, kind: str):
    token = console(sandbox).tokens(http)[kind]

    assert http.get(f"{sandbox.url}/v1/environments", headers=bearer(token)).status_code == 401


def test_token_with_another_signature_is_refused(sandbox: Sandbox, http: httpx.Client):
    token = console(sandbox).tokens(http)["access_token"]
    header, payload, _ = token.split(".")
    own = {"kid": header_of(token)["kid"], "alg": "RS256"}
    forged = [
        jwt.encode(own, claims_of(sandbox, http, token), RSAKey.generate_key(2048), ["RS256"]),
        f"{header}.{payload}.",
        f"{base64url({'alg': 'none'})}.{payload}.",
    ]

    for value in forged:
        assert http.get(f"{sandbox.url}/v1/environments", headers=bearer(value)).status_code == 401


def test_expired_access_token_is_refused(sandbox: Sandbox, http: httpx.Client):
    application = console(sandbox)
    token = application.tokens(http)["access_token"]
    sandbox.sql(
        """UPDATE sandbox_oauth_accesstoken SET expires_at = datetime(expires_at, '-3601 seconds')
        WHERE application_id = ?""",
        application.id,
    )

    assert http.get(f"{sandbox.issuer}/userinfo", headers=bearer(token)).status_code == 401
    assert http.get(f"{sandbox.url}/v1/environments", headers=bearer(token)).status_code == 401
    assert application.introspect(http, token) == {"active": False}


def header_of(token: str) -> dict[str, Any]:
    head = token.partition(".")[0]
    return dict(json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4))))


def base64url(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def test_id_token_of_a_web_application_names_the_groups(sandbox: Sandbox, http: httpx.Client) -> None:
    plain, web = (console(sandbox, **settings).tokens(http)["id_token"] for settings in ({}, {"type": "WEB_APP"}))

    assert "groups" not in claims_of(sandbox, http, plain)
    assert isinstance(claims_of(sandbox, http, web)["groups"], list)
