"""One refresh at PingOne, no matter how many requests meet the expired access token at once. The sandbox counts.

The sandbox protects against replay: a second use of a refresh token would end the grant and fail the test.
"""

import socket
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from pingone_integration.calls.gate import AccessToken
from pingone_integration.connection import authorization, tokens
from pingone_integration.connection.tokens import StoredTokens
from pingone_integration.errors import BeingRenewed, ConnectionFailure, NotConnected, TokenRefreshFailure
from pingone_integration.models import Connection
from tests.support.people import lease_ages
from tests.support.refreshing import begin, expire, grant_of, is_live, outcome, refreshes, worker, works
from tests.support.sandbox_server import Sandbox
from tests.support.token_worker import current_at_once

pytestmark = pytest.mark.database

THREADS = 20
PROCESSES = 4


def test_threads_share_a_single_refresh(connection: Connection, sandbox: Sandbox) -> None:
    grant = grant_of(connection, sandbox)
    expire(connection)

    found = current_at_once(connection.pk, THREADS)

    assert refreshes(sandbox, grant) == 1
    assert is_live(sandbox, grant)
    (token,) = {one.get("token") for one in found}
    assert token
    assert works(sandbox, token)


def test_processes_share_a_single_refresh(connection: Connection, sandbox: Sandbox) -> None:
    grant = grant_of(connection, sandbox)
    expire(connection)

    with ExitStack() as running:
        processes = [running.enter_context(worker(sandbox, connection, 5)) for _ in range(PROCESSES)]
        begin(*processes)
        found = [one for process in processes for one in outcome(process)]

    assert len(found) == PROCESSES * 5
    assert refreshes(sandbox, grant) == 1
    assert is_live(sandbox, grant)
    (token,) = {one.get("token") for one in found}
    assert token
    assert works(sandbox, token)


@pytest.mark.parametrize("minutes", [-10, 10])
def test_servers_with_clocks_ten_minutes_apart_share_a_single_refresh(
    connection: Connection, sandbox: Sandbox, minutes: int
) -> None:
    grant = grant_of(connection, sandbox)
    Connection.objects.update(access_token_expires_at=timezone.now() - timedelta(minutes=11))  # on both clocks

    with ExitStack() as running:
        right = running.enter_context(worker(sandbox, connection, 5))
        wrong = running.enter_context(worker(sandbox, connection, 5, "--clock-off", str(minutes * 60)))
        begin(wrong, right)
        found = outcome(right) + outcome(wrong)

    assert refreshes(sandbox, grant) == 1
    assert is_live(sandbox, grant)
    (token,) = {one.get("token") for one in found}
    assert token
    assert works(sandbox, token)


def test_repeated_refreshes_keep_the_grant_alive(connection: Connection, sandbox: Sandbox) -> None:
    grant = grant_of(connection, sandbox)

    for round_ in range(1, 4):
        expire(connection)
        found = current_at_once(connection.pk, 5)
        assert [list(one) for one in found] == [["token"]] * 5
        assert refreshes(sandbox, grant) == round_

    connection.refresh_from_db()
    assert connection.token_version == 4  # Connect, and three refreshes


def test_token_rejected_repeatedly_is_renewed_once(connection: Connection, sandbox: Sandbox) -> None:
    grant = grant_of(connection, sandbox)
    source = StoredTokens(connection.pk)
    rejected = source.current()

    replaced = {source.renewed(rejected) for _ in range(3)}

    assert refreshes(sandbox, grant) == 1
    assert rejected not in replaced
    assert len(replaced) == 1


def test_lease_of_a_killed_process_blocks_the_others_only_until_it_expires(
    connection: Connection, sandbox: Sandbox, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    grant = grant_of(connection, sandbox)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts, and never answers
        silent.settimeout(60)
        expire(connection)
        connection.auth_url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        connection.save(update_fields=["auth_url"])
        with worker(sandbox, connection, 1) as holder:
            begin(holder)
            caller, _ = silent.accept()
            holder.kill()
            holder.wait(timeout=30)
            caller.close()
    connection.auth_url = sandbox.url
    connection.save(update_fields=["auth_url"])
    connection.refresh_from_db()
    assert connection.lease_owner is not None

    with monkeypatch.context() as impatient:
        impatient.setattr(tokens, "WAIT_S", 0.1)
        with pytest.raises(BeingRenewed):
            StoredTokens(connection.pk).current()
    lease_ages(connection, by=tokens.LEASE)
    token = StoredTokens(connection.pk).current()

    assert works(sandbox, token.value)
    assert refreshes(sandbox, grant) == 1


def test_replayed_refresh_token_ends_the_connection_and_is_reported(connection: Connection, sandbox: Sandbox) -> None:
    used_up = connection.sealed_refresh_token
    expire(connection)
    StoredTokens(connection.pk).current()
    Connection.objects.filter(pk=connection.pk).update(sealed_refresh_token=used_up)
    expire(connection)

    with pytest.raises(TokenRefreshFailure) as caught:
        StoredTokens(connection.pk).current()

    assert caught.value.trace.correlation_id
    connection.refresh_from_db()
    assert connection.state == Connection.State.RECONNECT_NEEDED


def test_temporarily_unreachable_sandbox_costs_nothing(connection: Connection, sandbox: Sandbox, settings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nobody = f"http://127.0.0.1:{closed.getsockname()[1]}"
    settings.PINGONE_CUSTOM_HOSTS |= {nobody: nobody}
    expire(connection)
    Connection.objects.filter(pk=connection.pk).update(auth_url=nobody)

    with pytest.raises(ConnectionFailure):
        StoredTokens(connection.pk).current()

    Connection.objects.filter(pk=connection.pk).update(auth_url=sandbox.url)
    lease_ages(connection, by=tokens.COOL_DOWN)
    assert works(sandbox, StoredTokens(connection.pk).current().value)
    states = [event.state for event in connection.events.order_by("id")]
    assert states == ["connected", "needs_attention", "connected"]


def test_disconnecting_ends_the_grant_at_pingone(connection: Connection, sandbox: Sandbox) -> None:
    grant = grant_of(connection, sandbox)
    token = StoredTokens(connection.pk).current()

    authorization.disconnect(connection)

    assert not is_live(sandbox, grant)
    assert not works(sandbox, token.value)
    with pytest.raises(NotConnected):
        StoredTokens(connection.pk).renewed(AccessToken("", 0))
