"""Why PingOne refuses an application that connects: secret, method, code, grant type or type of application."""

import base64
import json
from typing import Any

import httpx
import pytest
import respx

from console.models import Organization
from pingone_integration.connection.oauth import Grant
from pingone_integration.connection.refusals import (
    CodeRefused,
    GrantTypeOff,
    NotAWorker,
    WrongAuthenticationMethod,
    WrongClientSecret,
    is_for_api,
)
from pingone_integration.errors import AuthenticationError, PingOneError, Unavailable
from pingone_integration.models import Connection
from tests.support.people import API_URL
from tests.support.sign_on import ISSUER, approves, begin, environments, finish

Answer = httpx.Response | Exception
CODE_REFUSED = httpx.Response(400, json={"error": "invalid_grant"})
NOT_AUTHENTICATED = httpx.Response(401, json={"error": "invalid_client"})


@pytest.mark.parametrize("chosen", list(Connection.ClientAuthentication))
@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([CODE_REFUSED], CodeRefused),
        ([NOT_AUTHENTICATED, NOT_AUTHENTICATED], WrongClientSecret),
        ([httpx.Response(400, json={"error": "invalid_client"}), NOT_AUTHENTICATED], WrongClientSecret),
        ([NOT_AUTHENTICATED, CODE_REFUSED], WrongAuthenticationMethod),
        ([NOT_AUTHENTICATED, httpx.Response(400, json={"error": "unauthorized_client"})], WrongAuthenticationMethod),
        ([httpx.Response(400, json={"error": "unauthorized_client"})], GrantTypeOff),
        ([httpx.Response(400, json={"error": "invalid_request"})], AuthenticationError),
        ([NOT_AUTHENTICATED, httpx.Response(503)], AuthenticationError),
        ([NOT_AUTHENTICATED, httpx.ConnectError("gone")], AuthenticationError),
        ([httpx.Response(503)], Unavailable),
    ],
)
def test_refused_exchange_names_what_is_wrong(
    acme: Organization,
    wire: respx.MockRouter,
    chosen: Connection.ClientAuthentication,
    answers: list[Answer],
    expected: type[PingOneError],
) -> None:
    Connection.objects.update(client_authentication=chosen)
    acme.connection.refresh_from_db()
    asked = begin(acme.connection, wire)
    before = Connection.objects.values().get()
    tries = wire.post(f"{ISSUER}/token").mock(side_effect=answers)

    with pytest.raises(PingOneError) as caught:
        finish(asked)

    assert type(caught.value) is expected
    assert Connection.objects.values().get() == before, "an earlier grant stays"
    by_header = ["Authorization" in call.request.headers for call in tries.calls]
    first = chosen == Connection.ClientAuthentication.BASIC
    assert by_header == [first, not first][: len(answers)]
    if len(answers) > 1:
        assert b"the-code" not in tries.calls[1].request.content, "the code goes out once"


def test_reasons_have_different_words() -> None:
    kinds = (WrongClientSecret, WrongAuthenticationMethod, CodeRefused, GrantTypeOff, NotAWorker, AuthenticationError)

    for part in ("title", "cause", "resolution"):
        texts = {str(getattr(kind, part)) for kind in kinds}
        assert len(texts) == len(kinds), part


def token(**claims: Any) -> str:
    parts = ({"alg": "RS256"}, claims)
    return ".".join(
        [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts] + ["s"]
    )


FOR_ITSELF = token(aud=["7c6b5a49"], sub="mara")
ACCESS_TOKENS = [
    (FOR_ITSELF, False),
    (token(aud="openid"), False),
    (token(aud=["openid", API_URL], env="1"), True),
    (token(aud=API_URL), True),
    (token(aud=["another form of the API's name"], env="1"), True),
    (token(), True),
    ("opaque", True),
    ("a.b.c", True),
    ("a.W10.c", True),  # a list
]


@pytest.mark.parametrize(("access_token", "expected"), ACCESS_TOKENS)
def test_only_a_readable_token_shows_that_it_is_not_for_the_api(access_token: str, expected: bool) -> None:
    grant = Grant(access_token=access_token, expires_at=None, refresh_token="", id_token="", scope="")  # type: ignore[arg-type]

    assert is_for_api(grant, API_URL) is expected


REFUSALS = [
    httpx.Response(200, json={"_embedded": {"environments": []}}),
    httpx.Response(200, json={}),
    httpx.Response(401, json={"code": "ACCESS_FAILED", "details": [{"code": "INVALID_TOKEN"}]}),
    httpx.Response(401, json={"code": "ACCESS_FAILED", "details": [{"code": "INSUFFICIENT_PERMISSIONS"}]}),
    httpx.Response(403, json={"code": "ACCESS_FAILED"}),
    httpx.Response(403, json={"message": "no envelope"}),
]


@pytest.mark.parametrize("answer", REFUSALS, ids=["empty", "no list", "401", "401 for a right", "403", "gateway"])
def test_web_app_is_named_as_the_cause_and_its_grant_revoked(
    acme: Organization, wire: respx.MockRouter, answer: httpx.Response
) -> None:
    asked = begin(acme.connection, wire)
    approves(wire, asked, access_token=FOR_ITSELF)
    revoked = wire.post(f"{ISSUER}/revoke").respond(200)
    wire.get(f"{API_URL}/v1/environments").mock(return_value=answer)
    before = Connection.objects.values().get()

    with pytest.raises(NotAWorker):
        finish(asked)

    assert Connection.objects.values().get() == before, "an earlier grant stays"
    assert revoked.call_count == 2


@pytest.mark.parametrize("answer", [*REFUSALS, httpx.Response(503)])
def test_worker_is_not_taken_for_a_web_app(
    connection: Connection, wire: respx.MockRouter, answer: httpx.Response
) -> None:
    asked = begin(connection, wire)
    approves(wire, asked, access_token=token(aud=[API_URL], env="1"))
    wire.get(f"{API_URL}/v1/environments").mock(return_value=answer)

    assert finish(asked).state == Connection.State.CONNECTED


def test_token_that_opens_environments_is_good_whatever_it_says(connection: Connection, wire: respx.MockRouter) -> None:
    asked = begin(connection, wire)
    approves(wire, asked, access_token=FOR_ITSELF)
    environments(wire, acme_environment := "5b1f0c7e-9a34-4f0d-8c55-2f6e0d9a7711")

    assert str(finish(asked).managed_environment_id) == acme_environment
