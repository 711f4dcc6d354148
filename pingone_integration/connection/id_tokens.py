"""Verification of the ID token, which names the administrator who approved the access."""

import time
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.errors import ExpiredTokenError, InvalidClaimError, JoseError
from joserfc.jwk import KeySet

from pingone_integration.errors import SignOnUnverified
from pingone_integration.values import text

LEEWAY_S = 120  # how far two clocks may be apart
YEAR_3000 = 32_503_680_000


@dataclass(frozen=True)
class Administrator:
    """Whoever signed on at PingOne and approved the access."""

    id: str  # `sub`: the PingOne user id
    name: str


def verify(id_token: str, *, keys: KeySet, issuer: str, client_id: str, nonce: str) -> Administrator:
    """Raises SignOnUnverified unless signature, issuer, audience, nonce and time all fit.

    A clock that is wrong by more than the leeway is named as the reason where it is one: PingOne made the token a
    moment ago, so that its time of issue tells what time it is there.
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
        claims = jwt.decode(id_token, keys, algorithms=["RS256"]).claims
        expected.validate(claims)
    except (ExpiredTokenError, InvalidClaimError) as error:
        raise SignOnUnverified(str(error), clock_ahead_s=_clock_ahead_s(claims, error.claim)) from error
    except (JoseError, ValueError) as error:
        raise SignOnUnverified(str(error)) from error
    if isinstance(claims["aud"], list) and len(claims["aud"]) > 1 and claims.get("azp") != client_id:
        raise SignOnUnverified("the ID token was issued to another application")
    return Administrator(id=text(claims["sub"])[:64], name=text(_name(claims))[:300])


def _clock_ahead_s(claims: dict[str, Any], refused: str | None) -> float:
    """0 when the clocks agree well enough, or the claim that was refused is not about time."""
    issued_at = claims.get("iat")
    if refused not in {"exp", "iat"} or not isinstance(issued_at, int | float) or not 0 < issued_at < YEAR_3000:
        return 0
    ahead = time.time() - issued_at
    return ahead if abs(ahead) > LEEWAY_S else 0


def _name(claims: dict[str, Any]) -> str:
    """As PingOne shows people: full name and username, whichever there is."""
    full = claims.get("name") or " ".join(
        str(claims[part]) for part in ("given_name", "family_name") if claims.get(part)
    )
    login = claims.get("preferred_username") or claims.get("email")
    if full and login:
        return f"{full} ({login})"
    return str(full or login or claims["sub"])
