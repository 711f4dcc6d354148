"""Issuing and recognizing access and refresh tokens.

The `/v1` API identifies callers with `authenticate`. The claims are those of PingOne's own tokens.
Source: PingOne API reference, Authentication > Access tokens and ID tokens (read 2026-11).
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.http import HttpRequest
from django.utils import timezone

from pingone_integration.sandbox.models import Application, Environment, User
from pingone_integration.sandbox.oauth.models import AccessToken, Grant, RefreshToken
from pingone_integration.sandbox.oauth.signing import NotOurs, sign, verify


class InvalidToken(Exception):
    """No usable access token: absent, malformed, expired, revoked, or its user or application is gone."""


@dataclass(frozen=True, kw_only=True)
class Caller:
    """The holder of an access token."""

    user: User | None  # None: the application acts by itself, with its own roles
    application: Application
    token_id: UUID  # cursors are bound to it
    environment: Environment  # of the user and application; often not the one in the API path


def authenticate(request: HttpRequest) -> Caller:
    """Return the caller of the request's bearer token.

    One query by primary key loads user, application and environment. A key in memory checks the signature. No state is
    cached: a revoked token or a deactivated user is refused at once.
    Raises InvalidToken, for which the API answers 401 ACCESS_FAILED with INVALID_TOKEN.
    """
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    token = find_access_token(value.strip()) if scheme.lower() == "bearer" else None
    if token is None or token.is_expired() or token.is_revoked():
        raise InvalidToken
    return Caller(
        user=token.grant.user if token.grant else None,
        application=token.application,
        token_id=token.id,
        environment=token.application.environment,
    )


def find_access_token(value: str) -> AccessToken | None:
    """Return the token, even if expired or revoked, or None if this server did not issue it."""
    try:
        token_id = UUID(str(verify(value).get("jti")))
    except (NotOurs, ValueError):
        return None
    tokens = AccessToken.objects.select_related("application__environment", "grant__user", "grant__session")
    return tokens.filter(pk=token_id).first()


def find_refresh_token(value: str) -> RefreshToken | None:
    tokens = RefreshToken.objects.select_related("grant__application", "grant__user", "grant__session")
    return tokens.filter(pk=digest(value)).first()


def issue_access_token(application: Application, grant: Grant | None, scope: str, *, base_url: str) -> str:
    """Return a signed token with which `application` acts for the user of `grant` or for itself.

    `base_url` is this server's URL. It stands for both the auth and the API host.
    """
    now = timezone.now()
    environment = application.environment
    token = AccessToken.objects.create(
        application=application,
        grant=grant,
        scope=scope,
        issued_at=now,
        expires_at=now + timedelta(seconds=application.access_token_duration),
    )
    return sign(environment, access_token_claims(token, base_url))


def access_token_claims(token: AccessToken, base_url: str) -> dict[str, Any]:
    environment = token.application.environment
    claims: dict[str, Any] = {
        "iss": issuer(base_url, environment),
        "aud": [base_url if is_for_api(token) else token.application.client_id],
        "client_id": token.application.client_id,
        "iat": int(token.issued_at.timestamp()),
        "exp": int(token.expires_at.timestamp()),
        "jti": str(token.id),
    }
    if is_for_api(token):
        claims |= {"env": str(environment.id), "org": str(environment.organization_id)}
    if token.scope:
        claims["scope"] = token.scope
    if token.grant:
        claims["sub"] = str(token.grant.user_id)
        if token.grant.session_id:
            claims["sid"] = str(token.grant.session_id)
    return claims


def is_for_api(token: AccessToken) -> bool:
    """Return whether the management API is an audience: a Worker's tokens always, others with a scope of its own."""
    return token.application.type == "WORKER" or any(scope.startswith("p1:") for scope in token.scope.split())


def issue_refresh_token(grant: Grant, *, base_url: str) -> str:
    """Return the next refresh token of the grant's chain. It never outlives the chain.

    It is opaque, or a JWT if the application uses that older kind. The digest identifies both.
    """
    now = timezone.now()
    application = grant.application
    expires_at = now + timedelta(seconds=application.refresh_token_duration)
    if application.refresh_token_rolling_duration is not None:
        chain_ends_at = grant.created_at + timedelta(seconds=application.refresh_token_rolling_duration)
        expires_at = min(expires_at, chain_ends_at)
    value = secrets.token_urlsafe(48)
    if application.refresh_tokens_are_jwts:
        value = sign(application.environment, _refresh_token_claims(grant, now, expires_at, base_url))
    RefreshToken.objects.create(digest=digest(value), grant=grant, expires_at=expires_at)
    return value


def _refresh_token_claims(grant: Grant, issued_at: datetime, expires_at: datetime, base_url: str) -> dict[str, Any]:
    return {
        "iss": issuer(base_url, grant.application.environment),
        "client_id": grant.application.client_id,
        "sub": str(grant.user_id),
        "iat": int(issued_at.timestamp()),
        "exp": int(expires_at.timestamp()),
        "jti": str(uuid4()),
    }


def revoke_grants_of(user: User) -> None:
    """Revoke the user's grants and their tokens, as PingOne does when it deactivates the user."""
    Grant.objects.filter(user=user, revoked_at=None).update(revoked_at=timezone.now())


def issuer(base_url: str, environment: Environment) -> str:
    return f"{base_url}/{environment.id}/as"


def digest(value: str) -> str:
    """Return a code or refresh token as stored. A long random value needs only a plain hash."""
    return hashlib.sha256(value.encode()).hexdigest()
