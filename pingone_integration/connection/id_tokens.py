"""Verification of ID tokens, for example of that which names the administrator who approved the connection."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.errors import ExpiredTokenError, InvalidClaimError, JoseError
from joserfc.jwk import KeySet

from pingone_integration.errors import SignOnUnverified
from pingone_integration.values import text

LEEWAY_S = 120  # allowed difference of two clocks
YEAR_3000 = 32_503_680_000


@dataclass(frozen=True)
class Administrator:
    """The administrator who approved the connection at PingOne."""

    id: str  # `sub`: the PingOne user ID
    name: str


def verify(id_token: str, *, keys: KeySet, issuer: str, client_id: str, nonce: str) -> Administrator:
    """Return the administrator of a verified ID token. Raises SignOnUnverified."""
    claims = verified_claims(id_token, keys=keys, issuer=issuer, client_id=client_id, nonce=nonce)
    return Administrator(id=text(claims["sub"])[:64], name=text(_name(claims))[:300])


def verified_claims(
    id_token: str, *, keys: KeySet, issuer: str, client_id: str, nonce: str, algorithms: Sequence[str] = ("RS256",)
) -> dict[str, Any]:
    """Verify signature, issuer, audience, nonce and time of an ID token. Raises SignOnUnverified.

    The error names this server's clock if it is wrong by more than the leeway: the token has just been issued, so its
    `iat` shows PingOne's time.
    """
    expected = jwt.JWTClaimsRegistry(
        leeway=LEEWAY_S,
        iss={"essential": True, "value": issuer},
        aud={"essential": True, "value": client_id},
        exp={"essential": True},
        nonce={"essential": True, "value": nonce},
        sub={"essential": True},
    )
    try:
        claims = jwt.decode(id_token, keys, algorithms=list(algorithms)).claims
        expected.validate(claims)
    except (ExpiredTokenError, InvalidClaimError) as error:
        raise SignOnUnverified(str(error), clock_ahead_s=_clock_ahead_s(claims, error.claim)) from error
    except (JoseError, ValueError) as error:
        raise SignOnUnverified(str(error)) from error
    if isinstance(claims["aud"], list) and len(claims["aud"]) > 1 and claims.get("azp") != client_id:
        raise SignOnUnverified("the ID token was issued to another application")
    return dict(claims)


def _clock_ahead_s(claims: dict[str, Any], refused: str | None) -> float:
    """Return how far this clock is ahead; 0 within the leeway, or if `refused` is not about time."""
    issued_at = claims.get("iat")
    if refused not in {"exp", "iat"} or not isinstance(issued_at, int | float) or not 0 < issued_at < YEAR_3000:
        return 0
    ahead = time.time() - issued_at
    return ahead if abs(ahead) > LEEWAY_S else 0


def _name(claims: dict[str, Any]) -> str:
    """Return full name and username as PingOne shows them, or the known part, or `sub`."""
    full = claims.get("name") or " ".join(
        str(claims[part]) for part in ("given_name", "family_name") if claims.get(part)
    )
    login = claims.get("preferred_username") or claims.get("email")
    if full and login:
        return f"{full} ({login})"
    return str(full or login or claims["sub"])
