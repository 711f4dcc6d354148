"""The access token of a connection, and its refresh under a lease: many callers cause only one refresh at PingOne.

The lease is a pair of columns, claimed by one conditional UPDATE. It expires by itself if its holder dies. No database
transaction is open during a call to PingOne, and new tokens are stored before anybody uses them. docs/refresh.md says
what happens if a step fails.
"""

import contextlib
import logging
import random
import time
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from pingone_integration import errors
from pingone_integration.calls import connection_states, deadline, failed_calls
from pingone_integration.calls.database import give_back
from pingone_integration.calls.gate import AccessToken
from pingone_integration.connection import grants
from pingone_integration.connection.oauth import Grant, OAuthClient, open_client
from pingone_integration.errors import PingOneError
from pingone_integration.metrics import REFRESHES
from pingone_integration.models import Connection

logger = logging.getLogger(__name__)

MARGIN = timedelta(seconds=30)  # a token this close to its end is not used any more
LEASE = timedelta(seconds=30)  # by the database's clock: servers' clocks may be minutes apart
EXCHANGE_S = 12.0  # longest token request; with less of the lease left, it does not begin
WAIT_S = 8.0  # how long a request waits for another request's refresh
REFUSED_CLIENT = frozenset({"invalid_client", "unauthorized_client"})
COOL_DOWN = timedelta(seconds=2)  # after a failed refresh, so that not all waiting requests retry
LONGEST_COOL_DOWN_S = 30


@dataclass(frozen=True)
class StoredTokens:
    """The TokenSource of a connection, always read from the database, but not twice for the first call of a request."""

    connection_id: UUID
    opened_with: Connection | None = None  # the row as the request read it

    def row(self) -> Connection:
        """Return the connection, freshly read. Raises NotConnected, TokenRefreshFailure, AuthenticationError."""
        if self.opened_with and self.opened_with.take_if_just_read():
            row = self.opened_with
        else:
            row = Connection.objects.get(pk=self.connection_id)
        require_grant(row)
        return row

    def current(self, row: Connection | None = None) -> AccessToken:
        """Return a token that is valid for at least 30 s: that of `row`, freshly read, or a newer token.

        Raises as `row`, SealBroken, or a temporary error.
        """
        if row and _is_fresh(row):
            return _token_of(row)
        return _token(self.connection_id)

    def renewed(self, rejected: AccessToken) -> AccessToken:
        """Return a newer token than `rejected`, which PingOne refused. Raises as `current`."""
        return _token(self.connection_id, newer_than=rejected.version, rejected=True)


def renew(connection: Connection) -> None:
    """Refresh the tokens, unless they have been refreshed since `connection` was read.

    Raises as StoredTokens.current(). If the grant is dead, a good access token is kept until it expires.
    """
    _token(connection.pk, newer_than=connection.token_version)


def require_grant(connection: Connection) -> None:
    """Require a grant. Raises NotConnected, or the error that ended it: TokenRefreshFailure, AuthenticationError."""
    if connection.state in {Connection.State.NOT_CONNECTED, Connection.State.DISCONNECTED}:
        raise errors.NotConnected
    if connection.state == Connection.State.RECONNECT_NEEDED:
        raise _ended(connection)


def _token(connection_id: UUID, *, newer_than: int | None = None, rejected: bool = False) -> AccessToken:
    """Return the stored token once it is good: refreshed here, or by another thread or process.

    `newer_than` is the version of a token that is not good enough, `rejected` whether PingOne refused that token.
    """
    me = uuid4()
    give_up_at = time.monotonic() + deadline.at_most(WAIT_S)
    while True:
        row = Connection.objects.annotate(database_time=Now()).get(pk=connection_id)
        require_grant(row)
        if row.token_version != newer_than and _is_fresh(row):
            return _token_of(row)
        if row.state == Connection.State.ENDING:  # PingOne is not asked again with a dead grant
            if rejected or row.access_token_has_expired:
                connection_states.end(row)
            raise _ended(row)
        if _claim(row, me):
            if token := _refresh(row, me, rejected=rejected):
                return token
            continue
        if row.lease_owner is None and row.lease_until and row.lease_until > row.database_time:
            raise _failed_just_now(row)
        if time.monotonic() > give_up_at:
            raise errors.BeingRenewed
        give_back()
        time.sleep(random.uniform(0.05, 0.15))  # noqa: S311 - jitter, not a secret


def _token_of(row: Connection) -> AccessToken:
    return AccessToken(row.unseal("access_token"), row.token_version)


def _is_fresh(row: Connection) -> bool:
    if not row.can_be_renewed:  # no token is better
        return not row.access_token_has_expired
    return row.access_token_expires_at is not None and row.access_token_expires_at - timezone.now() > MARGIN


def _ended(row: Connection) -> PingOneError:
    """Return the error that ended the grant."""
    return errors.rebuilt(row.state_kind, row.state_cause, otherwise=errors.TokenRefreshFailure)


def _failed_just_now(row: Connection) -> PingOneError:
    """Return the error of the last attempt: during the cool-down, PingOne is not asked again."""
    return errors.rebuilt(row.state_kind, row.state_cause, otherwise=errors.Unavailable)


def _claim(row: Connection, me: UUID) -> bool:
    """Claim the lease by one conditional UPDATE: of several callers, exactly one succeeds."""
    free = Q(lease_until=None) | Q(lease_until__lte=Now())
    claimed = Connection.objects.filter(
        free, pk=row.pk, token_version=row.token_version, state__in=connection_states.GRANTED
    ).update(lease_owner=me, lease_until=Now() + LEASE)
    return claimed == 1


def _release(row: Connection, me: UUID, *, closed_for: timedelta) -> None:
    """Release the lease; nobody may claim it for `closed_for`."""
    Connection.objects.filter(pk=row.pk, lease_owner=me).update(lease_owner=None, lease_until=Now() + closed_for)


def _refresh(row: Connection, me: UUID, *, rejected: bool) -> AccessToken | None:
    """Return the new token after storing it, or None if the row has to be read again."""
    lease_ends = time.monotonic() + LEASE.total_seconds()
    try:
        refresh_token = _refresh_token_of(row)
        client = open_client(row)
        grant = _exchange(client, refresh_token, lease_ends)
        REFRESHES.labels("success").inc()
    except PingOneError as error:
        _refresh_failed(row, me, error, rejected=rejected)
        return None
    except BaseException:
        _release(row, me, closed_for=timedelta(0))
        raise
    return _store(row, client, grant)


def _refresh_token_of(row: Connection) -> str:
    refresh_token = row.unseal("refresh_token")
    if not refresh_token:
        raise errors.NoRefreshToken
    return refresh_token


def _exchange(client: OAuthClient, refresh_token: str, lease_ends: float) -> Grant:
    if lease_ends - time.monotonic() < EXCHANGE_S:
        raise errors.Unavailable("too little of the lease is left to exchange the refresh token safely")
    return client.refresh(refresh_token)


def _store(row: Connection, client: OAuthClient, grant: Grant) -> AccessToken | None:
    """Store a refreshed grant. Returns None if the tokens have been replaced or erased since."""
    now = timezone.now()
    version = row.token_version + 1
    renewed = {
        "sealed_access_token": row.seal("access_token", grant.access_token),
        "access_token_expires_at": grant.expires_at,
        "token_version": version,
        "lease_owner": None,
        "lease_until": None,
    }
    if grant.refresh_token:  # without a new token, the old token stays valid
        renewed |= {
            "sealed_refresh_token": row.seal("refresh_token", grant.refresh_token),
            "refresh_token_issued_at": now,
        }
    if Connection.objects.filter(pk=row.pk, token_version=row.token_version).update(**renewed):
        row.token_version = version
        if not row.calls_paused_until:
            connection_states.enter(row, Connection.State.CONNECTED)
        return AccessToken(grant.access_token, version)
    other = Connection.objects.get(pk=row.pk)
    if not other.has_grant or other.consented_at != row.consented_at:
        # Disconnected, or connected again: the tokens of the ended grant must not outlive it.
        with contextlib.suppress(PingOneError):
            grants.revoke_tokens(client, access_token=grant.access_token, refresh_token=grant.refresh_token)
    return None


def _refresh_failed(row: Connection, me: UUID, error: PingOneError, *, rejected: bool) -> None:
    """Record the failure in the connection's state and raise `error`, unless the tokens have changed since.

    A dead grant leaves a good access token alone, unless it is `rejected`: the connection ends when it expires.
    """
    logger.warning("Connection %s: the access token could not be renewed: %s", row.pk, error.kind)
    REFRESHES.labels(error.kind).inc()
    failed_calls.count_renewal(row.pk, error)
    if isinstance(error, errors.SealBroken | errors.OutOfTime):  # says nothing about PingOne
        _release(row, me, closed_for=timedelta(0))
        raise error
    final = isinstance(error, errors.TokenRefreshFailure) or error.trace.code in REFUSED_CLIENT
    state = Connection.State.NEEDS_ATTENTION
    if final:
        state = Connection.State.RECONNECT_NEEDED if rejected or not _is_fresh(row) else Connection.State.ENDING
    asked_for = timedelta(seconds=min(error.retry_after_s or 0, LONGEST_COOL_DOWN_S))
    with transaction.atomic():  # listeners that act on commit do not delay the release of the lease
        current = connection_states.enter(row, state, error)
        _release(row, me, closed_for=max(COOL_DOWN, asked_for))
    if current:
        raise error
