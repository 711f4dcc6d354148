"""Helpers for the tests of the authorization server: applications and the claims of tokens."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import UUID, uuid4

import httpx
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.support.sandbox_server import Sandbox, sign_on

REDIRECT_URI = "http://localhost:8000/connect/callback/"
VERIFIER = "a verifier is forty-three characters or more".replace(" ", "-")


@dataclass(frozen=True, kw_only=True)
class Application:
    """An OAuth client that belongs to one test, with the requested settings."""

    sandbox: Sandbox
    client_id: str
    client_secret: str

    @property
    def id(self) -> UUID:
        return UUID(self.client_id)

    @property
    def basic(self) -> httpx.BasicAuth:
        return httpx.BasicAuth(self.client_id, self.client_secret)

    def token(self, http: httpx.Client, **form: str) -> httpx.Response:
        return http.post(f"{self.sandbox.issuer}/token", data=form, auth=self.basic)

    def authorize_url(self, **changes: str | None) -> str:
        """Return the URL of a valid authorization request. `changes` replace parameters, or remove them if None."""
        wanted: dict[str, str | None] = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": REDIRECT_URI,
            "scope": "openid profile email",
            "state": "the state",
            "nonce": "the nonce",
            "code_challenge": create_s256_code_challenge(VERIFIER),
            "code_challenge_method": "S256",
        }
        sent = {name: value for name, value in (wanted | changes).items() if value is not None}
        return f"{self.sandbox.issuer}/authorize?{urlencode(sent)}"

    def code(self, **changes: str | None) -> str:
        """Sign in as ada.admin, approve, and return the authorization code."""
        return answer_of(sign_on(self.authorize_url(**changes)))["code"]

    def exchange(self, http: httpx.Client, code: str, **changes: str) -> httpx.Response:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT_URI}
        return self.token(http, **(form | {"code_verifier": VERIFIER} | changes))

    def tokens(self, http: httpx.Client, **changes: str | None) -> dict[str, Any]:
        """Return the tokens of a new session."""
        reply = self.exchange(http, self.code(**changes))
        assert reply.status_code == 200, reply.text
        return dict(reply.json())

    def refresh(self, http: httpx.Client, refresh_token: str, **form: str) -> httpx.Response:
        return self.token(http, grant_type="refresh_token", refresh_token=refresh_token, **form)

    def introspect(self, http: httpx.Client, token: str) -> dict[str, Any]:
        reply = http.post(f"{self.sandbox.issuer}/introspect", data={"token": token}, auth=self.basic)
        return dict(reply.json())


def answer_of(address: str) -> dict[str, str]:
    """Return the parameters of a redirect to the application's redirect URI."""
    assert address.startswith(f"{REDIRECT_URI}?")
    return dict(parse_qsl(urlsplit(address).query, strict_parsing=True))


def service(sandbox: Sandbox, **settings: Any) -> Application:
    """Create a copy of the seeded application for client credentials."""
    return _copy(sandbox, sandbox.details["service_client_id"], settings)


def console(sandbox: Sandbox, **settings: Any) -> Application:
    """Create a copy of the seeded application that administrators sign in to."""
    return _copy(sandbox, sandbox.details["client_id"], settings)


def _copy(sandbox: Sandbox, client_id: str, settings: dict[str, Any]) -> Application:
    stored = {key: json.dumps(value) if isinstance(value, list) else value for key, value in settings.items()}
    new_id = str(sandbox.copy("sandbox_application", client_id, client_secret="its-own-secret", **stored))
    return Application(sandbox=sandbox, client_id=new_id, client_secret="its-own-secret")


def follow(http: httpx.Client, address: str) -> httpx.Response:
    """Follow redirects and return the last page. The application's redirect URI is not requested."""
    page = http.get(address)
    for _ in range(5):
        if not page.has_redirect_location or page.headers["Location"].startswith(REDIRECT_URI):
            return page
        page = http.get(page.url.join(page.headers["Location"]))
    raise AssertionError(f"in circles at {page.url}")


def claims_of(sandbox: Sandbox, http: httpx.Client, token: str) -> dict[str, Any]:
    """Check the signature with the published keys and return the claims."""
    keys = KeySet.import_key_set(http.get(f"{sandbox.issuer}/jwks").json())
    return dict(jwt.decode(token, keys, algorithms=["RS256"]).claims)


def assert_error(response: httpx.Response, status: int, code: str) -> None:
    """Assert that the response is an OAuth error in PingOne's format."""
    body = response.json()
    assert (response.status_code, body["error"]) == (status, code)
    assert set(body) == {"error", "error_description"}
    assert "(Correlation ID: " in body["error_description"]
    assert response.headers["Cache-Control"] == "no-store"


def administrator(sandbox: Sandbox, **changes: Any) -> str:
    """Create an administrator for one test, with these changes, and return the username."""
    ada = next(person for person in sandbox.details["administrators"] if person["username"] == "ada.admin")
    username = f"ada.{uuid4().hex[:12]}"
    profile = json.dumps({"username": username, "email": f"{username}@acme.test", "name": {"given": "Ada"}})
    user_id = sandbox.copy("sandbox_user", ada["id"], profile=profile, username_key=username, **changes)
    (assignment,) = sandbox.sql("SELECT id FROM sandbox_roleassignment WHERE user_id = ?", UUID(ada["id"]))
    sandbox.copy("sandbox_roleassignment", assignment["id"], user_id=user_id)
    return username


def caretaker(sandbox: Sandbox, http: httpx.Client) -> dict[str, str]:
    """Return the headers of a client with full rights over the users of the administrators' environment."""
    (assignment,) = sandbox.sql(
        "SELECT id FROM sandbox_roleassignment WHERE application_id = ?", UUID(sandbox.details["service_client_id"])
    )
    application = service(sandbox)
    home = UUID(sandbox.details["environment_id"])
    sandbox.copy("sandbox_roleassignment", assignment["id"], application_id=application.id, scope_id=home)
    return bearer(application.token(http, grant_type="client_credentials").json()["access_token"])


def users_url(sandbox: Sandbox, user_id: str) -> str:
    return f"{sandbox.url}/v1/environments/{sandbox.details['environment_id']}/users/{user_id}"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
