"""Exchanging a code: client authentication, and the error that each refusal becomes."""

import base64
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
import respx

from console.models import Organization
from pingone_integration.errors import (
    AuthenticationError,
    PingOneError,
    Unavailable,
)
from pingone_integration.models import Connection
from tests.support.people import ENVIRONMENT
from tests.support.sign_on import CLIENT_ID, ISSUER, approves, begin, environments, finish, form_of, tokens


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (401, {"error": "invalid_client"}, AuthenticationError),
        (400, {"error": "invalid_client"}, AuthenticationError),
        (400, {"error": "invalid_grant", "error_description": "(Correlation ID: 1f0c-aa-22-bb)"}, AuthenticationError),
        (400, {"error": "UNAUTHORIZED_CLIENT"}, AuthenticationError),
        (500, {"error": "server_error"}, Unavailable),
        (400, {"error": "temporarily_unavailable"}, Unavailable),
        (302, None, Unavailable),
        (403, None, Unavailable),
        (200, None, Unavailable),
        (200, {}, Unavailable),
        (200, tokens(access_token=""), Unavailable),
        (200, tokens(access_token="line\nbreak"), Unavailable),
        (200, tokens(token_type="mac"), Unavailable),
        (200, ["no object"], Unavailable),
    ],
)
def test_failed_exchange_changes_nothing(
    acme: Organization, wire: respx.MockRouter, status: int, body: Any, expected: type[PingOneError]
) -> None:
    asked = begin(acme.connection, wire)
    answer = {"json": body} if body is not None else {"html": "<h1>gateway</h1>"}
    wire.post(f"{ISSUER}/token").respond(status, **answer)
    before = Connection.objects.values().get()

    with pytest.raises(expected) as caught:
        finish(asked)

    assert Connection.objects.values().get() == before
    if isinstance(body, dict) and "error_description" in body:
        assert caught.value.trace.correlation_id == "1f0c-aa-22-bb"


@pytest.mark.parametrize("secret", ["plain-Secret_1.~", "p%3Aa:s/s+w=o&r?d #~ é漢\"'"])
def test_client_id_and_secret_are_encoded_for_basic_authentication(
    connection: Connection, wire: respx.MockRouter, secret: str
) -> None:
    connection.sealed_client_secret = connection.seal("client_secret", secret)
    connection.save()
    asked = begin(connection, wire)
    exchange = approves(wire, asked)
    environments(wire, ENVIRONMENT)

    finish(asked)

    scheme, _, encoded = exchange.calls.last.request.headers["Authorization"].partition(" ")
    pair = base64.b64decode(encoded).decode("ascii")
    assert scheme == "Basic"
    assert [parse_qs(f"x={part}")["x"][0] for part in pair.split(":")] == [CLIENT_ID, secret]
    assert "client_secret" not in form_of(exchange.calls.last)


def test_client_id_and_secret_travel_in_the_body_if_chosen(connection: Connection, wire: respx.MockRouter) -> None:
    connection.client_authentication = Connection.ClientAuthentication.POST
    connection.sealed_client_secret = connection.seal("client_secret", "s/e+c r=e&t é")
    connection.save()
    asked = begin(connection, wire)
    exchange = approves(wire, asked)
    environments(wire, ENVIRONMENT)

    finish(asked)

    assert "Authorization" not in exchange.calls.last.request.headers
    sent = form_of(exchange.calls.last)
    assert (sent["client_id"], sent["client_secret"], sent["code"]) == (CLIENT_ID, "s/e+c r=e&t é", "the-code")


# Whoever imports this gets classes of another library, which no transport, timeout or error of httpx fits.
ANOTHER_HTTPX = """
class Client:
    def __init__(self, **options):
        raise TypeError("httpx2 was used")
class AsyncClient(Client): ...
class Auth: ...
class Request: ...
class Response: ...
USE_CLIENT_DEFAULT = object()
"""
EXCHANGE = """
import sys, warnings
warnings.simplefilter("error")
import django
django.setup()
import respx
from pingone_integration.connection import oauth
from pingone_integration.connection.discovery import SignOnService

service = SignOnService(**{name: f"https://auth.test/{name}" for name in SignOnService.__dataclass_fields__})
answer = {"access_token": "new-token", "token_type": "Bearer", "expires_in": 60}
with respx.mock:
    respx.post(service.token_endpoint).respond(json=answer)
    client = oauth.client_of(service, "the-client", "the-secret", "client_secret_basic")
    print(client.exchange_code("the-code", redirect_uri="https://console.test/", code_verifier="v" * 43).access_token)
print("httpx2" in sys.modules)
"""


def test_httpx2_in_the_same_environment_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "httpx2.py").write_text(ANOTHER_HTTPX)
    path = os.pathsep.join([str(tmp_path), *sys.path])

    done = subprocess.run(
        [sys.executable, "-c", EXCHANGE],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.stdout.split() == ["new-token", "False"], done.stderr
