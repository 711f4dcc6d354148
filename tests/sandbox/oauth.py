"""What the tests of the authorization server have in common: applications, and what a token says."""

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import httpx
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.sandbox_server import Sandbox


@dataclass(frozen=True, kw_only=True)
class Application:
    """A client of the test's own, with the settings it asked for."""

    sandbox: Sandbox
    client_id: str
    client_secret: str

    @cached_property
    def basic(self) -> httpx.BasicAuth:
        return httpx.BasicAuth(self.client_id, self.client_secret)

    def token(self, http: httpx.Client, **form: str) -> httpx.Response:
        return http.post(f"{self.sandbox.issuer}/token", data=form, auth=self.basic)


def service(sandbox: Sandbox, **settings: Any) -> Application:
    """An application like the seeded one that acts for itself."""
    return _copy(sandbox, sandbox.details["service_client_id"], settings)


def console(sandbox: Sandbox, **settings: Any) -> Application:
    """An application like the seeded one that administrators sign on to."""
    return _copy(sandbox, sandbox.details["client_id"], settings)


def _copy(sandbox: Sandbox, client_id: str, settings: dict[str, Any]) -> Application:
    stored = {key: json.dumps(value) if isinstance(value, list) else value for key, value in settings.items()}
    new_id = str(sandbox.copy("sandbox_application", client_id, client_secret="its own secret", **stored))
    return Application(sandbox=sandbox, client_id=new_id, client_secret="its own secret")


def claims_of(sandbox: Sandbox, http: httpx.Client, token: str) -> dict[str, Any]:
    """The claims, once the signature has been checked with the published keys."""
    keys = KeySet.import_key_set(http.get(f"{sandbox.issuer}/jwks").json())
    return dict(jwt.decode(token, keys, algorithms=["RS256"]).claims)


def assert_error(response: httpx.Response, status: int, code: str) -> None:
    """An OAuth error as PingOne words it."""
    body = response.json()
    assert (response.status_code, body["error"]) == (status, code)
    assert set(body) == {"error", "error_description"}
    assert "(Correlation ID: " in body["error_description"]
    assert response.headers["Cache-Control"] == "no-store"
