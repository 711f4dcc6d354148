"""Checks of the stored data: the application's secret, the tokens, and their lifetimes."""

import base64
import binascii
import json
import secrets
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.utils import timezone

from pingone_integration.checks.model import (
    Finding,
    Subject,
    cannot_tell,
    failed,
    finding_of,
    in_words,
    passed,
    warning,
)
from pingone_integration.connection.oauth import open_client
from pingone_integration.connection.tokens import MARGIN, StoredTokens, require_grant
from pingone_integration.errors import AuthenticationError, NoRefreshToken, TokenRefreshFailure
from pingone_integration.models import Connection
from pingone_integration.texts import english
from pingone_integration.values import json_object

# From this day on, PingOne accepts opaque refresh tokens only.
JWT_REFUSED_FROM = date(2027, 3, 2)
DUE_SOON = timedelta(days=7)
# Source: PingOne API reference, Applications, refreshTokenDuration (read 2026-11).
USUAL_DURATION = timedelta(days=30)


def credentials(subject: Subject) -> Finding:
    """Check with an invented code: PingOne verifies the application first, and no grant is involved."""
    client = open_client(subject.connection)
    try:
        client.exchange_code(
            f"check-{secrets.token_hex(16)}",
            redirect_uri=subject.redirect_uri,
            code_verifier=secrets.token_urlsafe(48),
        )
    except TokenRefreshFailure:  # invalid_grant: only the code is wrong
        return passed("PingOne accepts the Client ID, the Client secret and the authentication method.")
    except AuthenticationError as error:
        if error.trace.code == "unauthorized_client":
            return finding_of(
                error,
                "PingOne knows the application, but its Authorization Code grant is switched off.",
                "Switch on the grants Authorization Code and Refresh Token in the PingOne application.",
            )
        if error.trace.code != "invalid_client":
            return cannot_tell(f"PingOne's answer, {error.trace.code}, says nothing about Client ID and secret.")
        return finding_of(
            error,
            "PingOne does not accept the Client ID, the Client secret or the authentication method.",
            "Copy the Client ID and a new Client secret from the PingOne application, and compare its Token Endpoint "
            "Authentication Method.",
        )
    return cannot_tell("PingOne accepted a code that it never issued.")


def tokens(subject: Subject) -> Finding:
    connection = subject.connection
    require_grant(connection)
    for column in ("access_token", "refresh_token"):
        connection.unseal(column)  # raises SealBroken
    connected = f"Connected {_ago(connection.consented_at)}. " if connection.consented_at else ""
    left = _left(connection)
    access = f"good for {in_words(left)}" if left > timedelta(0) else "past its end, and renewed with the next call"
    if not connection.sealed_refresh_token:
        text = f"{connected}The access token is {access}. There is no refresh token to renew it with."
        return warning(text, english(NoRefreshToken.resolution))
    return passed(f"{connected}The access token is {access}; there is a refresh token to renew it with.")


def refresh(subject: Subject) -> Finding:
    """Check the renewal, only if due or requested: each renewal uses up a refresh token."""
    connection = subject.connection
    require_grant(connection)
    source = StoredTokens(connection.pk)
    is_due = _left(connection) <= MARGIN
    if not is_due and not subject.renewal_asked_for:
        return passed(f"Not due for {in_words(_left(connection))}. {_last_renewed(connection)}".strip())
    before = connection.token_version
    token = source.current() if is_due else source.renewed(source.current())
    connection.refresh_from_db()
    done = "PingOne has just renewed the access token" if token.version != before else "The access token is good"
    return passed(f"{done}; it is good for {in_words(_left(connection))}.")


def refresh_token(subject: Subject) -> Finding:
    claims = _jwt_claims(_refresh_token_of(subject.connection))
    if claims is None:
        return passed("The refresh token is an opaque one.")
    today = timezone.now().date()
    text = "The refresh token is a JSON Web Token, "
    advice = "Set the application's refresh token format to Opaque in PingOne, then connect again."
    if today >= JWT_REFUSED_FROM:
        return failed(TokenRefreshFailure, f"{text}which PingOne has refused since {JWT_REFUSED_FROM}.", advice)
    return warning(f"{text}which PingOne refuses from {JWT_REFUSED_FROM} on.", advice)


def sign_on_due(subject: Subject) -> Finding:
    """Check when the connection has to be approved again, as far as it is known."""
    connection = subject.connection
    token = _refresh_token_of(connection)
    ends = _end_of(_jwt_claims(token) or {})
    if ends is None:
        issued = connection.refresh_token_issued_at
        if issued is None:
            return cannot_tell("PingOne does not say how long the refresh token lasts.")
        return cannot_tell(
            f"PingOne does not say how long the refresh token lasts. With its usual {USUAL_DURATION.days} days, an "
            f"unused one ends on {issued + USUAL_DURATION:%Y-%m-%d}; each renewal begins another term.",
            "Compare the Refresh Token Duration and Rolling Duration of the PingOne application.",
        )
    left = ends - timezone.now()
    if left <= timedelta(0):
        return failed(TokenRefreshFailure, f"The refresh token ended on {ends:%Y-%m-%d %H:%M} UTC.")
    text = f"Unless it is renewed before, the refresh token ends on {ends:%Y-%m-%d %H:%M} UTC, in {in_words(left)}."
    return warning(text, "Connect again before then.") if left < DUE_SOON else passed(text)


def _refresh_token_of(connection: Connection) -> str:
    """Return the refresh token, even if PingOne refuses it: its format may be the reason."""
    token = connection.unseal("refresh_token")
    if not token:
        require_grant(connection)
        raise NoRefreshToken
    return token


def _left(connection: Connection) -> timedelta:
    ends = connection.access_token_expires_at
    return ends - timezone.now() if ends else timedelta(0)


def _ago(moment: datetime) -> str:
    return f"{in_words(timezone.now() - moment)} ago"


def _last_renewed(connection: Connection) -> str:
    issued = connection.refresh_token_issued_at
    return f"The refresh token is {in_words(timezone.now() - issued)} old." if issued else ""


def _jwt_claims(token: str) -> dict[str, Any] | None:
    """Return the claims, unverified (enough to tell the format), or None if it is no JSON Web Token."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        header, claims = (json_object(json.loads(base64.urlsafe_b64decode(f"{part}==="))) for part in parts[:2])
    except (binascii.Error, ValueError, RecursionError):
        return None
    return claims if "alg" in header else None


def _end_of(claims: dict[str, Any]) -> datetime | None:
    try:
        return datetime.fromtimestamp(claims["exp"], UTC)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return None
