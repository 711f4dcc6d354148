"""The public documents of the authorization server, before any sign-in."""

from uuid import uuid4

import httpx
import pytest
from authlib.oidc.discovery import OpenIDProviderMetadata

from tests.support.sandbox_server import Sandbox


def test_discovery_is_a_valid_description_of_the_environment(sandbox: Sandbox, http: httpx.Client):
    metadata = http.get(f"{sandbox.issuer}/.well-known/openid-configuration").json()

    OpenIDProviderMetadata(metadata).validate()
    assert metadata["issuer"] == sandbox.issuer
    assert metadata["token_endpoint"] == f"{sandbox.issuer}/token"
    assert metadata["end_session_endpoint"] == f"{sandbox.issuer}/signoff"
    assert metadata["response_modes_supported"] == ["pi.flow", "query", "fragment", "form_post"]
    assert "offline_access" not in metadata["scopes_supported"]


def test_oauth_metadata_agrees_with_openid_metadata(sandbox: Sandbox, http: httpx.Client):
    openid = http.get(f"{sandbox.issuer}/.well-known/openid-configuration").json()
    oauth = http.get(f"{sandbox.issuer}/.well-known/oauth-authorization-server").json()

    assert oauth.items() <= openid.items()
    assert "userinfo_endpoint" not in oauth


def test_key_set_has_only_the_public_key(sandbox: Sandbox, http: httpx.Client):
    (key,) = http.get(f"{sandbox.issuer}/jwks").json()["keys"]

    assert set(key) == {"kty", "n", "e", "use", "alg", "kid"}


def test_key_set_is_stable_and_differs_between_environments(sandbox: Sandbox, http: httpx.Client):
    other = f"{sandbox.url}/{sandbox.details['managed_environment_id']}/as"

    first, again, foreign = (
        http.get(f"{issuer}/jwks").json()["keys"][0]["kid"] for issuer in (sandbox.issuer, sandbox.issuer, other)
    )

    assert first == again != foreign


@pytest.mark.parametrize("path", ["jwks", ".well-known/openid-configuration", "token"])
def test_unknown_environment_is_not_found(sandbox: Sandbox, http: httpx.Client, path: str):
    response = http.request("POST" if path == "token" else "GET", f"{sandbox.url}/{uuid4()}/as/{path}")

    assert response.status_code == 404
    assert response.json()["code"] == "NOT_FOUND"


def test_unknown_environment_is_a_page_in_a_browser(sandbox: Sandbox, http: httpx.Client):
    response = http.get(f"{sandbox.url}/{uuid4()}/as/authorize", headers={"Accept": "text/html,*/*;q=0.8"})

    assert response.status_code == 404
    assert response.headers["Content-Type"].startswith("text/html")
