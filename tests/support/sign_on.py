"""A mock of PingOne's authorization server: discovery, keys, and tokens signed with a test key."""

import time
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import respx
from joserfc import jwt
from joserfc.jwk import RSAKey

from pingone_integration.connection import authorization
from pingone_integration.models import Connection
from tests.support.people import ADMINISTRATORS, API_URL, AUTH_URL

ISSUER = f"{AUTH_URL}/{ADMINISTRATORS}/as"
KEY = RSAKey.generate_key(2048, {"kid": "the-key", "use": "sig"})
CLIENT_ID = "7c6b5a49-0000-4000-8000-000000000001"
CALLBACK = "https://console.test/connect/callback/"
MINE = "digest of my session"
MARA = UUID("c0a8f3d2-41b7-4e9a-9d0e-7b6a5c4d3e21")


def discovery_document(issuer: str = ISSUER, **changes: Any) -> dict[str, Any]:
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "revocation_endpoint": f"{issuer}/revoke",
        "jwks_uri": f"{issuer}/jwks",
    } | changes


def discoverable(router: respx.MockRouter, **changes: Any) -> respx.Route:
    return router.get(f"{ISSUER}/.well-known/openid-configuration").respond(json=discovery_document(**changes))


def has_keys(router: respx.MockRouter) -> respx.Route:
    return router.get(f"{ISSUER}/jwks").respond(json={"keys": [KEY.as_dict(private=False)]})


def id_token(key: RSAKey = KEY, alg: str = "RS256", **claims: Any) -> str:
    now = int(time.time())
    told = {"iss": ISSUER, "aud": CLIENT_ID, "sub": str(MARA), "iat": now, "exp": now + 300} | claims
    header = {"alg": alg, "kid": key.kid}
    return jwt.encode(header, {name: value for name, value in told.items() if value is not None}, key, algorithms=[alg])


def tokens(**changes: Any) -> dict[str, Any]:
    return {
        "access_token": "new-access-token",
        "refresh_token": "new-refresh-token",
        "token_type": "Bearer",
        "expires_in": 3600,
        "scope": "openid profile email",
    } | changes


def begin(connection: Connection, wire: respx.MockRouter) -> dict[str, str]:
    """Begin an authorization and return the query of the redirect to PingOne."""
    discoverable(wire)
    url = authorization.begin(connection, redirect_uri=CALLBACK, bound_to=MINE)
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def environments(wire: respx.MockRouter, *ids: object, status: str = "ACTIVE") -> respx.Route:
    listed = [{"id": str(one), "name": f"Environment {one}", "status": status, "region": "EU"} for one in ids]
    return wire.get(f"{API_URL}/v1/environments").respond(json={"_embedded": {"environments": listed}})


def approves(wire: respx.MockRouter, asked: dict[str, str], **changes: Any) -> respx.Route:
    """Mock PingOne's answers after an approved sign-in."""
    discoverable(wire)
    has_keys(wire)
    answer = tokens(id_token=id_token(nonce=asked["nonce"], name="Mara Lind", email="mara@acme.test"))
    return wire.post(f"{ISSUER}/token").respond(json=answer | changes)


def finish(asked: dict[str, str], *, bound_to: str = MINE) -> Connection:
    return authorization.finish(state=asked["state"], code="the-code", redirect_uri=CALLBACK, bound_to=bound_to)


def form_of(call: respx.models.Call) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(call.request.content.decode()).items()}
