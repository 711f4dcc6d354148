"""The stored grant as a whole: replaced in the database, and revoked at PingOne."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from pingone_integration.calls import connection_states
from pingone_integration.connection.oauth import OAuthClient, open_client
from pingone_integration.errors import PingOneError, Unavailable
from pingone_integration.models import Connection

NOTHING: dict[str, Any] = {
    "sealed_access_token": "",
    "access_token_expires_at": None,
    "sealed_refresh_token": "",
    "refresh_token_issued_at": None,
    "scope": "",
    "consented_by": "",
    "consented_by_id": "",
    "consented_at": None,
}


def store(connection: Connection, state: Connection.State, columns: dict[str, Any], *, cause: str) -> Connection:
    """Replace the stored grant by `columns`, and return the old row; `cause` goes into the history.

    Optimistic locking by `token_version`: a refresh in progress loses, because it is for the old grant.
    """
    for _ in range(5):  # a round fails if a refresh or another admin was faster
        old = Connection.objects.get(pk=connection.pk)
        now = timezone.now()
        with transaction.atomic():
            stored = Connection.objects.filter(pk=old.pk, token_version=old.token_version).update(
                **columns,
                token_version=old.token_version + 1,
                lease_owner=None,
                lease_until=None,
                calls_paused_until=None,
                calls_paused_s=0,
                calls_failing_kind="",
                calls_turned_at=None,
                state=state,
                state_kind="",
                state_cause="",
                state_changed_at=now,
            )
            if stored:
                connection_states.mark_changed(old.pk)
                connection_states.record(old, state, cause=cause)
                return old
    raise Unavailable("the connection is being changed by several people at once")


def end(connection: Connection, *, cause: str) -> Connection:
    """Erase the stored grant; return the old row, for `revoke`. `connection` is read again."""
    ended = store(connection, Connection.State.DISCONNECTED, NOTHING, cause=cause)
    connection.refresh_from_db()
    return ended


def revoke(row: Connection) -> None:
    """Revoke the grant of an old row. Raises a PingOneError unless PingOne confirms all of it."""
    access_token, refresh_token = row.unseal("access_token"), row.unseal("refresh_token")
    if access_token or refresh_token:
        revoke_tokens(open_client(row), access_token=access_token, refresh_token=refresh_token)


def revoke_tokens(client: OAuthClient, *, access_token: str, refresh_token: str) -> None:
    """Revoke both tokens, the long-lived refresh token first. Tries both; raises the first PingOneError."""
    failures = []
    for kind, token in (("refresh_token", refresh_token), ("access_token", access_token)):
        try:
            if token:
                client.revoke(token, kind=kind)
        except PingOneError as error:
            failures.append(error)
    if failures:
        raise failures[0]
