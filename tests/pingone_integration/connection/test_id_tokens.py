"""The ID token: only a valid one connects, and it names the administrator who approved."""

import base64
from typing import Any

import pytest
import respx
from django.utils import timezone
from joserfc.jwk import RSAKey

from console.models import Organization
from pingone_integration.errors import (
    SignOnUnverified,
    Unavailable,
)
from pingone_integration.models import Connection
from tests.support.people import AUTH_URL, ENVIRONMENT
from tests.support.sign_on import CLIENT_ID, ISSUER, MARA, approves, begin, environments, finish, form_of, id_token


@pytest.mark.parametrize(
    "changes",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"iss": f"{AUTH_URL}/{ENVIRONMENT}/as"},
        {"aud": "another-application"},
        {"aud": [CLIENT_ID, "another-application"]},
        {"exp": 1_700_000_000},
        {"exp": None},
        {"sub": None},
        {"key": RSAKey.generate_key(2048, {"kid": "the-key"})},
        {"key": RSAKey.generate_key(2048, {"kid": "unknown"})},
        {"alg": "RS512"},
    ],
    ids=[
        "another nonce",
        "no nonce",
        "another issuer",
        "another audience",
        "two audiences",
        "expired",
        "no expiry",
        "nobody",
        "another key",
        "unknown key",
        "another algorithm",
    ],
)
def test_invalid_id_token_connects_nobody_and_its_tokens_are_revoked(
    acme: Organization, wire: respx.MockRouter, changes: dict
) -> None:
    asked = begin(acme.connection, wire)
    approves(wire, asked, id_token=id_token(**{"nonce": asked["nonce"]} | changes))
    revocation = wire.post(f"{ISSUER}/revoke").respond(200)
    before = Connection.objects.values().get()

    with pytest.raises(SignOnUnverified):
        finish(asked)

    assert Connection.objects.values().get() == before
    assert form_of(revocation.calls[0])["token"] == "new-refresh-token"


def unsigned(nonce: str) -> str:
    _, claims, _ = id_token(nonce=nonce).split(".")
    header = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    return f"{header}.{claims}."


@pytest.mark.parametrize("forged", ["", "rubbish", "a.b.c", unsigned], ids=["none", "rubbish", "dotted", "unsigned"])
def test_unsigned_id_token_connects_nobody(connection: Connection, wire: respx.MockRouter, forged: Any) -> None:
    asked = begin(connection, wire)
    approves(wire, asked, id_token=forged(asked["nonce"]) if callable(forged) else forged)
    wire.post(f"{ISSUER}/revoke").respond(200)

    with pytest.raises(SignOnUnverified):
        finish(asked)


@pytest.mark.parametrize("off_by", [-110, 110])
def test_clock_less_than_two_minutes_off_is_tolerated(
    connection: Connection, wire: respx.MockRouter, off_by: int
) -> None:
    asked = begin(connection, wire)
    there = int(timezone.now().timestamp()) - off_by
    approves(wire, asked, id_token=id_token(nonce=asked["nonce"], iat=there, exp=there))
    environments(wire, ENVIRONMENT)

    assert finish(asked).consented_by == str(MARA)


@pytest.mark.parametrize(
    ("off_by", "words"),
    [
        (-600, "This server's clock is 10 minutes behind PingOne's."),
        (600, "This server's clock is 10 minutes ahead of PingOne's."),
        (-125, "This server's clock is 2 minutes behind PingOne's."),
    ],
)
def test_clock_further_off_is_named_as_the_reason(
    connection: Connection, wire: respx.MockRouter, off_by: int, words: str
) -> None:
    asked = begin(connection, wire)
    there = int(timezone.now().timestamp()) - off_by
    approves(wire, asked, id_token=id_token(nonce=asked["nonce"], iat=there, exp=there + 300))
    wire.post(f"{ISSUER}/revoke").respond(200)

    with pytest.raises(SignOnUnverified) as caught:
        finish(asked)

    assert str(caught.value.cause) == words


@pytest.mark.parametrize("issued_at", [10**400, -1, "soon", None], ids=str)
def test_odd_time_of_issue_does_not_blame_the_clock(
    connection: Connection, wire: respx.MockRouter, issued_at: object
) -> None:
    asked = begin(connection, wire)
    approves(wire, asked, id_token=id_token(nonce=asked["nonce"], iat=issued_at, exp=1_700_000_000))
    wire.post(f"{ISSUER}/revoke").respond(200)

    with pytest.raises(SignOnUnverified) as caught:
        finish(asked)

    assert caught.value.cause == SignOnUnverified.cause


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"name": "Mara Lind", "preferred_username": "mara", "email": "m@acme.test"}, "Mara Lind (mara)"),
        ({"given_name": "Mara", "family_name": "Lind"}, "Mara Lind"),
        ({"email": "m@acme.test"}, "m@acme.test"),
        ({}, str(MARA)),
        ({"name": "<b>\x00{{ x }}"}, "<b>\ufffd{{ x }}"),
        ({"name": "M" * 500}, "M" * 300),
        ({"name": {"given": 1}}, "{'given': 1}"),
    ],
    ids=["full", "parts", "address", "nothing", "hostile", "long", "odd"],
)
def test_approver_is_recorded_with_any_name(
    connection: Connection, wire: respx.MockRouter, claims: dict[str, Any], name: str
) -> None:
    asked = begin(connection, wire)
    approves(wire, asked, id_token=id_token(nonce=asked["nonce"], **claims))
    environments(wire, ENVIRONMENT)

    assert finish(asked).consented_by == name


def test_malformed_key_set_connects_nobody(connection: Connection, wire: respx.MockRouter) -> None:
    asked = begin(connection, wire)
    approves(wire, asked)
    wire.get(f"{ISSUER}/jwks").respond(json={"keys": "none"})
    wire.post(f"{ISSUER}/revoke").respond(200)

    with pytest.raises(Unavailable):
        finish(asked)
