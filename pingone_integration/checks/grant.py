"""Checks of the stored data: the application's secret, the tokens, and their lifetimes."""

import base64
import binascii
import json
import secrets
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from pingone_integration.checks.model import (
    Finding,
    Subject,
    cannot_tell,
    failed,
    finding_of,
    in_words,
    passed,
    sentences,
    warning,
)
from pingone_integration.connection.oauth import open_client
from pingone_integration.connection.refusals import WrongAuthenticationMethod, invented_code, told_apart
from pingone_integration.connection.tokens import MARGIN, StoredTokens, renew, require_grant
from pingone_integration.errors import AuthenticationError, NoRefreshToken, PingOneError, TokenRefreshFailure, of_kind
from pingone_integration.models import Connection
from pingone_integration.texts import Text
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
            invented_code(),
            redirect_uri=subject.redirect_uri,
            code_verifier=secrets.token_urlsafe(48),
        )
    except TokenRefreshFailure:  # invalid_grant: only the code is wrong
        return passed(_("PingOne accepts the Client ID, the Client secret and the authentication method."))
    except AuthenticationError as error:
        if error.trace.code == "unauthorized_client":
            return finding_of(
                error,
                _("PingOne knows the application, but its Authorization Code grant is turned off."),
                _("Turn on the grants Authorization Code and Refresh Token in the PingOne application."),
            )
        if error.trace.code != "invalid_client":
            text = _("PingOne answered {code}, which does not show whether the Client ID and secret are right.")
            return cannot_tell(format_lazy(text, code=error.trace.code))
        reason = told_apart(client, error, redirect_uri=subject.redirect_uri)
        if isinstance(reason, WrongAuthenticationMethod):
            return finding_of(error, reason.cause, _("Choose the other client authentication method."))
        return finding_of(
            error,
            _("PingOne does not accept the Client ID, the Client secret or the authentication method."),
            _(
                "Copy the Client ID and a new Client secret from the PingOne application, and choose the same method "
                "here as its Token Auth Method."
            ),
        )
    text = _(
        "PingOne accepted an invented code, so this check does not show whether the Client ID and secret are right."
    )
    return cannot_tell(text)


def tokens(subject: Subject) -> Finding:
    connection = subject.connection
    require_grant(connection)
    for column in ("access_token", "refresh_token"):
        connection.unseal(column)  # raises SealBroken
    connected = _connected(connection.consented_at) if connection.consented_at else ""
    left = _left(connection)
    access = _valid_for(left) if left > timedelta(0) else _("The access token has expired.")
    if not connection.sealed_refresh_token:
        text = sentences(connected, access, _("There is no refresh token to renew it: access ends then."))
        return warning(text, NoRefreshToken.resolution)
    if not connection.can_be_renewed:
        text = sentences(connected, access, _("PingOne does not accept the refresh token any more."))
        return warning(text, TokenRefreshFailure.resolution)
    return passed(sentences(connected, access, _("A refresh token is stored to renew it.")))


def refresh(subject: Subject) -> Finding:
    """Check the renewal, only if due or requested: each renewal uses up a refresh token."""
    connection = subject.connection
    require_grant(connection)
    source = StoredTokens(connection.pk)
    if not connection.can_be_renewed:
        return _ends(connection, source)
    is_due = _left(connection) <= MARGIN
    if not is_due and not subject.renewal_asked_for:
        due = format_lazy(
            _("The access token does not need to be renewed for {span}."), span=in_words(_left(connection))
        )
        return passed(sentences(due, _age(connection)))
    before = connection.token_version
    try:
        if is_due:
            source.current()
        else:
            renew(connection)
    except PingOneError:
        connection.refresh_from_db()
        if connection.state != Connection.State.ENDING:
            raise
        return _ends(connection, source)
    connection.refresh_from_db()
    renewed = _("PingOne just renewed the access token.") if connection.token_version != before else ""
    return passed(sentences(renewed, _valid_for(_left(connection))))


def _ends(connection: Connection, source: StoredTokens) -> Finding:
    """Return the finding for a token that works, but cannot be renewed. It blocks no other check."""
    source.current()  # raises if it has expired
    error = of_kind(connection.state_kind, otherwise=TokenRefreshFailure) if connection.state_kind else NoRefreshToken
    text = _("The access token works until {time} UTC, but cannot be renewed. {cause}")
    ends = connection.access_token_expires_at
    told = format_lazy(text, time=f"{ends:%Y-%m-%d %H:%M}", cause=connection.state_cause or error.cause)
    return replace(failed(error, told), blocks=False)


def refresh_token(subject: Subject) -> Finding:
    claims = _jwt_claims(_refresh_token_of(subject.connection))
    if claims is None:
        return passed(_("The refresh token is opaque."))
    today = timezone.now().date()
    advice = _("In PingOne, set the application's refresh token format to Opaque, then connect again.")
    if today >= JWT_REFUSED_FROM:
        text = _("The refresh token is a JSON Web Token. PingOne has refused this format since {date}.")
        return failed(TokenRefreshFailure, format_lazy(text, date=JWT_REFUSED_FROM), advice)
    text = _("The refresh token is a JSON Web Token. PingOne will refuse this format from {date} on.")
    return warning(format_lazy(text, date=JWT_REFUSED_FROM), advice)


def sign_on_due(subject: Subject) -> Finding:
    """Check when the connection has to be approved again, as far as it is known."""
    connection = subject.connection
    token = _refresh_token_of(connection)
    ends = _end_of(_jwt_claims(token) or {})
    if ends is None or ends > timezone.now():
        require_grant(connection)
        if not connection.can_be_renewed:
            return _ends(connection, StoredTokens(connection.pk))
    if ends is None:
        issued = connection.refresh_token_issued_at
        if issued is None:
            return cannot_tell(_("PingOne does not say how long the refresh token lasts."))
        text = _(
            "PingOne does not say how long the refresh token lasts. With the usual {days} days, it expires on {date}. "
            "Each renewal starts a new period."
        )
        return cannot_tell(
            format_lazy(text, days=USUAL_DURATION.days, date=f"{issued + USUAL_DURATION:%Y-%m-%d}"),
            _("Check the Refresh Token Duration and Rolling Duration of the PingOne application."),
        )
    left = ends - timezone.now()
    expires = f"{ends:%Y-%m-%d %H:%M} UTC"
    if left <= timedelta(0):
        return failed(TokenRefreshFailure, format_lazy(_("The refresh token expired on {time}."), time=expires))
    text = format_lazy(
        _("The refresh token expires on {time}, in {span}, unless it is renewed first."),
        time=expires,
        span=in_words(left),
    )
    return warning(text, _("Connect again before then.")) if left < DUE_SOON else passed(text)


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


def _connected(at: datetime) -> Text:
    return format_lazy(_("Connected {span} ago."), span=in_words(timezone.now() - at))


def _valid_for(left: timedelta) -> Text:
    return format_lazy(_("The access token is valid for {span}."), span=in_words(left))


def _age(connection: Connection) -> Text:
    issued = connection.refresh_token_issued_at
    if issued is None:
        return ""
    return format_lazy(_("The refresh token is {span} old."), span=in_words(timezone.now() - issued))


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
