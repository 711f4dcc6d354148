"""An interruption between PingOne's answer to a refresh and the storing of the new tokens, and its effect on the grant.

The outcomes are documented in docs/refresh.md. The sandbox protects against replay, as PingOne does by default.
A refresh during paging is tested in test_granted_access.py, concurrent refreshes in test_one_refresh.py.
"""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.utils import timezone

from pingone_integration.connection import authorization, tokens
from pingone_integration.connection.tokens import StoredTokens
from pingone_integration.errors import NotConnected, SealBroken, SignOnUnverified, TokenRefreshFailure, Unavailable
from pingone_integration.models import Connection
from tests.support.people import lease_ages
from tests.support.refreshing import (
    expire,
    grant_of,
    has_grace_period,
    is_live,
    kill_a_process_before_it_stores,
    refreshes,
    works,
)
from tests.support.relay import Relay, lose_answer
from tests.support.sandbox_connection import connect
from tests.support.sandbox_server import Sandbox

pytestmark = pytest.mark.database

OLD, NEW = (Fernet.generate_key().decode() for _ in range(2))
CONNECTED, NEEDS_ATTENTION, RECONNECT_NEEDED = (
    Connection.State.CONNECTED,
    Connection.State.NEEDS_ATTENTION,
    Connection.State.RECONNECT_NEEDED,
)


def current(connection: Connection) -> str:
    return StoredTokens(connection.pk).current().value


def history(connection: Connection) -> list[str]:
    return [event.state for event in connection.events.order_by("id")]


def test_process_killed_before_it_stores_costs_the_grant_without_a_grace_period(
    connection: Connection, sandbox: Sandbox
) -> None:
    kill_a_process_before_it_stores(connection, sandbox)

    with pytest.raises(TokenRefreshFailure):
        current(connection)

    connection.refresh_from_db()
    assert (connection.state, connection.state_kind) == (RECONNECT_NEEDED, "token-refresh-failure")
    assert history(connection) == [CONNECTED, RECONNECT_NEEDED]


def test_process_killed_before_it_stores_costs_nothing_within_the_grace_period(
    unconnected: Connection, sandbox: Sandbox
) -> None:
    has_grace_period(unconnected, sandbox)
    connection = connect(unconnected, sandbox)
    grant = grant_of(connection, sandbox)
    kill_a_process_before_it_stores(connection, sandbox)

    assert works(sandbox, current(connection))

    assert refreshes(sandbox, grant) == 2
    assert is_live(sandbox, grant)
    assert history(connection) == [CONNECTED]


def test_lost_answer_costs_the_grant_without_a_grace_period(
    through_relay: Connection, relay: Relay, sandbox: Sandbox
) -> None:
    connection = expire(connect(through_relay, sandbox))
    relay.on_the_way_back["token"] = lose_answer
    with pytest.raises(Unavailable):
        current(connection)

    lease_ages(connection, by=tokens.COOL_DOWN)
    with pytest.raises(TokenRefreshFailure):
        current(connection)

    assert history(connection) == [CONNECTED, NEEDS_ATTENTION, RECONNECT_NEEDED]


def test_lost_answer_costs_nothing_within_the_grace_period(
    through_relay: Connection, relay: Relay, sandbox: Sandbox
) -> None:
    has_grace_period(through_relay, sandbox)
    connection = expire(connect(through_relay, sandbox))
    relay.on_the_way_back["token"] = lose_answer
    with pytest.raises(Unavailable):
        current(connection)

    lease_ages(connection, by=tokens.COOL_DOWN)
    assert current(connection)

    assert is_live(sandbox, grant_of(connection, sandbox))
    assert history(connection) == [CONNECTED, NEEDS_ATTENTION, CONNECTED]


def test_disconnecting_during_a_refresh_leaves_no_token_here_and_no_grant_at_pingone(
    through_relay: Connection, relay: Relay, sandbox: Sandbox
) -> None:
    connection = expire(connect(through_relay, sandbox))
    relay.on_the_way_back["token"] = lambda: authorization.disconnect(Connection.objects.get())

    with pytest.raises(NotConnected):
        current(connection)

    connection.refresh_from_db()
    assert not connection.has_tokens
    assert not is_live(sandbox, grant_of(connection, sandbox))
    assert history(connection) == [CONNECTED, Connection.State.DISCONNECTED]


def test_connecting_again_during_a_refresh_leaves_the_new_grant_alone(
    through_relay: Connection, relay: Relay, sandbox: Sandbox
) -> None:
    connection = expire(connect(through_relay, sandbox))
    replaced = grant_of(connection, sandbox)
    relay.on_the_way_back["token"] = lambda: connect(Connection.objects.get(), sandbox)

    token = current(connection)

    assert token == current(connection)
    approved = grant_of(connection, sandbox)
    assert approved != replaced
    assert (is_live(sandbox, replaced), is_live(sandbox, approved)) == (False, True)
    assert refreshes(sandbox, approved) == 0
    assert history(connection) == [CONNECTED, CONNECTED]


def test_old_key_removed_during_a_refresh_loses_nothing(
    through_relay: Connection, relay: Relay, sandbox: Sandbox, settings: Any
) -> None:
    settings.CREDENTIAL_KEYS = [OLD]
    through_relay.sealed_client_secret = through_relay.seal("client_secret", sandbox.details["client_secret"])
    through_relay.save()
    connection = expire(connect(through_relay, sandbox))
    settings.CREDENTIAL_KEYS = [NEW, OLD]

    def rotate_and_take_the_old_key_away() -> None:
        call_command("rotate_credentials", verbosity=0)
        settings.CREDENTIAL_KEYS = [NEW]

    relay.on_the_way_back["token"] = rotate_and_take_the_old_key_away
    assert current(connection)

    expire(connection)
    assert current(connection)
    assert is_live(sandbox, grant_of(connection, sandbox))
    assert history(connection) == [CONNECTED]


def test_tokens_stored_with_the_old_key_after_a_rotation_are_rotated_by_the_next(
    through_relay: Connection, relay: Relay, sandbox: Sandbox, settings: Any
) -> None:
    settings.CREDENTIAL_KEYS = [OLD]
    through_relay.sealed_client_secret = through_relay.seal("client_secret", sandbox.details["client_secret"])
    through_relay.save()
    connection = expire(connect(through_relay, sandbox))

    def rotate_elsewhere() -> None:
        settings.CREDENTIAL_KEYS = [NEW, OLD]
        call_command("rotate_credentials", verbosity=0)
        settings.CREDENTIAL_KEYS = [OLD]

    relay.on_the_way_back["token"] = rotate_elsewhere
    current(connection)
    settings.CREDENTIAL_KEYS = [NEW]
    with pytest.raises(SealBroken):
        current(connection)

    settings.CREDENTIAL_KEYS = [NEW, OLD]
    call_command("rotate_credentials", verbosity=0)
    settings.CREDENTIAL_KEYS = [NEW]

    assert current(connection)
    assert history(connection) == [CONNECTED]


@pytest.mark.parametrize("minutes", [-10, 10])
def test_clock_ten_minutes_off_does_not_affect_a_refresh(
    connection: Connection, sandbox: Sandbox, minutes: int
) -> None:
    grant = grant_of(connection, sandbox)

    with time_machine.travel(timezone.now() + timedelta(minutes=minutes)):
        expire(connection)
        assert works(sandbox, current(connection))
        current(connection)

    assert refreshes(sandbox, grant) == 1
    assert works(sandbox, current(connection))  # also after the clock is right again
    assert history(connection) == [CONNECTED]


def test_clock_ten_minutes_ahead_does_not_affect_a_connect(unconnected: Connection, sandbox: Sandbox) -> None:
    with time_machine.travel(timezone.now() + timedelta(minutes=10)):
        connection = connect(unconnected, sandbox)

    assert works(sandbox, current(connection))


def test_clock_ten_minutes_behind_prevents_a_connect_and_is_named(unconnected: Connection, sandbox: Sandbox) -> None:
    with time_machine.travel(timezone.now() - timedelta(minutes=10)), pytest.raises(SignOnUnverified) as caught:
        connect(unconnected, sandbox)

    assert str(caught.value.cause) == "This server's clock is 10 minutes behind PingOne's."
    assert not is_live(sandbox, grant_of(unconnected, sandbox))
    unconnected.refresh_from_db()
    assert not unconnected.has_tokens
