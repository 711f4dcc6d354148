"""Signing and verifying JSON Web Tokens with the environments' keys."""

from functools import lru_cache
from typing import Any
from uuid import UUID

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import GuestProtocol, KeySet, RSAKey

from pingone_integration.sandbox.models import Environment
from pingone_integration.sandbox.oauth.models import SigningKey

ALGORITHM = "RS256"


class NotOurs(Exception):
    """The token was not signed with a key of this server."""


def signing_key(environment: Environment) -> RSAKey:
    """Return the environment's key. The first call creates and stores it."""
    stored, _ = SigningKey.objects.defer("private_jwk").get_or_create(
        environment=environment, defaults={"private_jwk": _new_jwk}
    )
    return _key(stored.kid)


def sign(environment: Environment, claims: dict[str, Any]) -> str:
    key = signing_key(environment)
    return jwt.encode({"alg": ALGORITHM, "kid": key.kid}, claims, key, [ALGORITHM])


def verify(token: str) -> dict[str, Any]:
    """Return the claims of a token that this server signed for any environment. Expiry is not checked.

    Raises NotOurs. Needs no query after the first use of the key in this process.
    """
    try:
        return dict(jwt.decode(token, _key_named_in, algorithms=[ALGORITHM]).claims)
    except (JoseError, SigningKey.DoesNotExist, ValueError) as error:
        raise NotOurs from error


def public_keys(environment: Environment) -> dict[str, Any]:
    """Return the key set with which clients verify tokens."""
    return dict(KeySet([signing_key(environment)]).as_dict(private=False))


def _key_named_in(token: GuestProtocol) -> RSAKey:
    return _key(UUID(str(token.headers().get("kid"))))


@lru_cache(maxsize=64)
def _key(kid: UUID) -> RSAKey:
    """Return a cached key: parsing takes as long as 100 signatures, and the key of an id never changes."""
    return RSAKey.import_key(SigningKey.objects.get(kid=kid).private_jwk, {"kid": str(kid)})


def _new_jwk() -> dict[str, Any]:
    return dict(RSAKey.generate_key(2048, {"use": "sig", "alg": ALGORITHM}).as_dict(private=True))
