"""Connecting (OAuth 2.0 authorization code flow with PKCE) and disconnecting."""

import contextlib
import logging
import secrets
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from django.utils import timezone

from pingone_integration.calls import concurrency
from pingone_integration.connection import environments, grants
from pingone_integration.connection.discovery import signing_keys
from pingone_integration.connection.environments import Environment
from pingone_integration.connection.id_tokens import Administrator, verify
from pingone_integration.connection.oauth import SCOPE, Grant, OAuthClient, open_client
from pingone_integration.connection.refusals import NotAWorker, is_for_api, told_apart
from pingone_integration.connection.regions import api_url_for
from pingone_integration.errors import (
    AuthenticationError,
    Blocked,
    MissingPermission,
    NoRefreshToken,
    PingOneError,
    SignOnUnverified,
    StateRejected,
    TokenRefreshFailure,
    TokenRejected,
)
from pingone_integration.models import AuthorizationRequest, Connection
from pingone_integration.texts import english

logger = logging.getLogger(__name__)

GOOD_FOR = timedelta(minutes=10)


def begin(connection: Connection, *, redirect_uri: str, bound_to: str) -> str:
    """Begin an attempt to connect, and return the PingOne URL to send the browser to.

    `bound_to` is a digest of the values that the return must share with this attempt. Raises
    SettingsIncomplete, InvalidApiUrl, UnknownEnvironment, ConnectionFailure, Unavailable: the attempt cannot work.
    """
    with concurrency.slot(connection.pk):
        client = open_client(connection)
    state, nonce, code_verifier = (secrets.token_urlsafe(32) for _ in range(3))
    request = AuthorizationRequest(state_digest=_digest(state), connection=connection, bound_to=bound_to)
    request.sealed_nonce = request.seal("nonce", nonce)
    request.sealed_code_verifier = request.seal("code_verifier", code_verifier)
    AuthorizationRequest.objects.filter(created_at__lt=timezone.now() - timedelta(days=1)).delete()
    request.save(force_insert=True)
    return client.authorize_url(redirect_uri=redirect_uri, state=state, nonce=nonce, code_verifier=code_verifier)


def finish(*, state: str, code: str, redirect_uri: str, bound_to: str) -> Connection:
    """Exchange the authorization code, and connect. Revokes an earlier grant.

    Raises StateRejected, AuthenticationError, SignOnUnverified, ConnectionFailure, Unavailable, Busy: an earlier grant
    then stays unchanged.
    """
    attempt = _waiting(state, bound_to)
    with concurrency.slot(attempt.connection_id):  # taken first, so that Busy does not use up the attempt
        _use_up(attempt)
        return _connect(attempt, code=code, redirect_uri=redirect_uri)


def _connect(attempt: AuthorizationRequest, *, code: str, redirect_uri: str) -> Connection:
    connection = attempt.connection
    client = open_client(connection)
    try:
        grant = client.exchange_code(code, redirect_uri=redirect_uri, code_verifier=attempt.unseal("code_verifier"))
    except (AuthenticationError, TokenRefreshFailure) as error:
        raise told_apart(client, error, redirect_uri=redirect_uri) from error
    try:
        administrator = _who_approved(client, grant, nonce=attempt.unseal("nonce"))
        visible = _visible(connection, grant)
    except PingOneError:
        with contextlib.suppress(PingOneError):
            grants.revoke_tokens(client, access_token=grant.access_token, refresh_token=grant.refresh_token)
        raise
    replaced = _store(connection, grant, administrator)
    try:
        grants.revoke(replaced)
    except PingOneError as error:
        logger.warning("Connection %s: the replaced grant was not revoked: %s", connection.pk, error.kind)
    connection.refresh_from_db()
    if visible is not None:
        _settle_environment(connection, visible)
    return connection


def refuse(*, state: str, bound_to: str, error: str, description: str) -> Connection | None:
    """Use up an attempt that PingOne returned without approval. Nothing else changes.

    Returns its connection, or None if `state` matches no waiting attempt.
    """
    try:
        attempt = _waiting(state, bound_to)
        _use_up(attempt)
    except StateRejected:
        return None
    connection = attempt.connection
    logger.info("Connection %s: not approved: %.100r (%.300r)", connection.pk, error, description)
    return connection


def disconnect(connection: Connection) -> None:
    """Erase the stored tokens, then revoke them at PingOne. Takes no slot: it must not fail, as there is no retry.

    Raises a PingOneError if PingOne does not confirm; the connection is disconnected in any case.
    """
    grants.revoke(grants.end(connection, cause="Disconnected here."))


def connection_of(state: str) -> Connection | None:
    """Return the connection of an attempt, or None if there is none. `finish` checks the attempt itself."""
    request = AuthorizationRequest.objects.select_related("connection").filter(state_digest=_digest(state)).first()
    return request.connection if request else None


def is_awaited(connection: Connection) -> bool:
    """Return whether an attempt of the last ten minutes has not returned: PingOne may show an error.

    An approval since then settles earlier attempts, whoever started them.
    """
    since = max(timezone.now() - GOOD_FOR, connection.consented_at or datetime.min.replace(tzinfo=UTC))
    return AuthorizationRequest.objects.filter(connection=connection, used_at=None, created_at__gt=since).exists()


def _digest(state: str) -> str:
    return sha256(state.encode()).hexdigest()


def _waiting(state: str, bound_to: str) -> AuthorizationRequest:
    """Return the attempt that waits for this return. Raises StateRejected with the reason.

    It does not use up the attempt: nobody can spoil another person's attempt.
    """
    if not state:
        raise StateRejected(StateRejected.Reason.MISSING)
    mine = AuthorizationRequest.objects.filter(pk=_digest(state), bound_to=bound_to)
    attempt = mine.select_related("connection").first()
    if attempt is None:
        raise StateRejected(StateRejected.Reason.FOREIGN)
    if attempt.used_at:
        raise StateRejected(StateRejected.Reason.REPLAYED)
    if attempt.created_at <= timezone.now() - GOOD_FOR:
        raise StateRejected(StateRejected.Reason.STALE)
    return attempt


def _use_up(attempt: AuthorizationRequest) -> None:
    """Mark the attempt as used by one conditional UPDATE. Raises StateRejected for all returns but the first."""
    unused = AuthorizationRequest.objects.filter(pk=attempt.pk, used_at=None)
    if not unused.update(used_at=timezone.now()):
        raise StateRejected(StateRejected.Reason.REPLAYED)


def _who_approved(client: OAuthClient, grant: Grant, *, nonce: str) -> Administrator:
    if not grant.id_token:
        raise SignOnUnverified("PingOne sent no ID token")
    return verify(
        grant.id_token,
        keys=signing_keys(client.service),
        issuer=client.service.issuer,
        client_id=client.client_id,
        nonce=nonce,
    )


def _store(connection: Connection, grant: Grant, administrator: Administrator) -> Connection:
    """Store the grant; return the old row."""
    now = timezone.now()
    columns = {
        "sealed_access_token": connection.seal("access_token", grant.access_token),
        "access_token_expires_at": grant.expires_at,
        "sealed_refresh_token": connection.seal("refresh_token", grant.refresh_token),
        "refresh_token_issued_at": now if grant.refresh_token else None,
        "scope": (grant.scope or SCOPE)[:500],
        "consented_by": administrator.name,
        "consented_by_id": administrator.id,
        "consented_at": now,
    }
    cause = f"Approved by {administrator.name}."
    if not grant.refresh_token:
        cause += f" {english(NoRefreshToken.cause)} Access ends at {grant.expires_at:%Y-%m-%d %H:%M} UTC."
    return grants.store(connection, Connection.State.CONNECTED, columns, cause=cause)


def _visible(connection: Connection, grant: Grant) -> tuple[Environment, ...] | None:
    """Return the environments that the new grant opens, or None if PingOne does not say. Raises NotAWorker."""
    try:
        visible = environments.visible_with(connection, grant.access_token)
    except (MissingPermission, Blocked, TokenRejected) as error:
        refused: PingOneError | None = error
        visible = ()
    except PingOneError as error:
        logger.warning("Connection %s: its environments could not be read: %s", connection.pk, error.kind)
        return None
    else:
        refused = None
    if not visible and not is_for_api(grant, api_url_for(connection.auth_url)):
        raise NotAWorker("the access token is not for the API") from refused
    return None if refused else visible


def _settle_environment(connection: Connection, visible: tuple[Environment, ...]) -> None:
    """Keep the managed environment while it is visible. Without an earlier choice, take the only possible one.

    Otherwise clear it: a person chooses. The environment where administrators sign in is possible too.
    """
    chosen = next((one for one in visible if one.id == connection.managed_environment_id), None)
    active = [one for one in visible if one.is_active]
    if connection.managed_environment_id is None and len(active) == 1:
        chosen = active[0]
    environments.choose(connection, chosen)
