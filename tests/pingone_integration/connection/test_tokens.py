"""Renewing the access token, one request at a time (lease): stored and kept values, and the meaning of each failure.

For concurrent requests see tests/integration/test_one_refresh.py.
"""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any
from uuid import uuid4

import httpx
import pytest
import respx
import time_machine
from django.db import connection as database
from django.utils import timezone

from console.models import Organization
from pingone_integration.calls import deadline
from pingone_integration.calls.gate import AccessToken
from pingone_integration.connection import authorization, grants, tokens
from pingone_integration.connection.open_api import open_api
from pingone_integration.connection.tokens import StoredTokens
from pingone_integration.errors import (
    AuthenticationError,
    BeingRenewed,
    ConnectionFailure,
    NoRefreshToken,
    NotConnected,
    PingOneError,
    RateLimited,
    SealBroken,
    TokenRefreshFailure,
    TokenRejected,
    Unavailable,
)
from pingone_integration.models import Connection
from tests.support import sign_on
from tests.support.people import API_URL, ENVIRONMENT, lease_ages
from tests.support.sign_on import ISSUER, discoverable, form_of

pytestmark = pytest.mark.database

State = Connection.State
CONNECTED, NEEDS_ATTENTION, RECONNECT_NEEDED = State.CONNECTED, State.NEEDS_ATTENTION, State.RECONNECT_NEEDED


@pytest.fixture
def connection(acme: Organization) -> Connection:
    """Return Acme's connection with an access token that has just expired."""
    return change(acme.connection, access_token_expires_at=timezone.now() - timedelta(seconds=1))


@pytest.fixture
def wire() -> Iterator[respx.MockRouter]:
    with respx.mock(assert_all_called=False) as router:
        discoverable(router)
        yield router


@pytest.fixture
def token_endpoint(wire: respx.MockRouter) -> respx.Route:
    return wire.post(f"{ISSUER}/token").respond(json=sign_on.tokens())


def change(connection: Connection, **columns: Any) -> Connection:
    Connection.objects.filter(pk=connection.pk).update(**columns)
    connection.refresh_from_db()
    return connection


def current(connection: Connection) -> AccessToken:
    return StoredTokens(connection.pk).current()


def history(connection: Connection) -> list[tuple[str, str]]:
    return [(event.state, event.kind) for event in connection.events.order_by("id")]


def test_valid_token_is_used_without_a_refresh(acme: Organization, token_endpoint: respx.Route) -> None:
    assert current(acme.connection) == AccessToken("the-access-token", 0)
    assert not token_endpoint.called


@pytest.mark.parametrize(("seconds_left", "refreshed"), [(31, False), (29, True), (-3600, True)])
def test_token_is_renewed_half_a_minute_before_it_expires(
    connection: Connection, token_endpoint: respx.Route, seconds_left: int, refreshed: bool
) -> None:
    now = datetime(2026, 11, 20, 12, tzinfo=UTC)
    change(connection, access_token_expires_at=now + timedelta(seconds=seconds_left))

    with time_machine.travel(now, tick=False):
        current(connection)

    assert token_endpoint.called == refreshed


def test_refresh_stores_the_new_tokens_and_their_lifetime(connection: Connection, token_endpoint: respx.Route) -> None:
    assert current(connection) == AccessToken("new-access-token", 1)

    assert form_of(token_endpoint.calls.last) == {
        "grant_type": "refresh_token",
        "refresh_token": "the-refresh-token",
    }
    connection.refresh_from_db()
    assert connection.unseal("access_token") == "new-access-token"
    assert connection.unseal("refresh_token") == "new-refresh-token"
    assert (connection.lease_owner, connection.lease_until) == (None, None)
    assert connection.access_token_expires_at is not None
    assert connection.access_token_expires_at > timezone.now() + timedelta(minutes=59)
    assert connection.refresh_token_issued_at is not None
    assert current(connection) == AccessToken("new-access-token", 1)
    assert token_endpoint.call_count == 1
    assert history(connection) == []


def test_answer_without_a_refresh_token_keeps_the_old_token(connection: Connection, wire: respx.MockRouter) -> None:
    wire.post(f"{ISSUER}/token").respond(json=sign_on.tokens(refresh_token=None))

    current(connection)

    connection.refresh_from_db()
    assert connection.unseal("refresh_token") == "the-refresh-token"


@pytest.mark.parametrize(
    ("expires_in", "seconds"),
    [
        ("60", 60),
        ('"120"', 120),
        ("null", 300),
        ('"soon"', 300),
        ("1e400", 300),
        ("{}", 300),
        ("-5", 0),
        ("9" * 30, 30 * 24 * 3600),
    ],
)
def test_odd_lifetime_is_accepted(
    connection: Connection, wire: respx.MockRouter, expires_in: str, seconds: int
) -> None:
    answer = json.dumps(sign_on.tokens(expires_in="?")).replace('"?"', expires_in)
    wire.post(f"{ISSUER}/token").respond(text=answer)
    now = datetime(2026, 11, 20, 12, tzinfo=UTC)
    change(connection, access_token_expires_at=now)

    with time_machine.travel(now, tick=False):
        current(connection)

    connection.refresh_from_db()
    assert connection.access_token_expires_at == now + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (httpx.ConnectError("unplugged"), ConnectionFailure),
        (httpx.ReadTimeout("no answer"), Unavailable),
        (httpx.Response(500, json={"error": "server_error"}), Unavailable),
        (httpx.Response(503, html="<h1>busy</h1>"), Unavailable),
        (httpx.Response(429, headers={"Retry-After": "7"}, json={"code": "REQUEST_LIMITED"}), RateLimited),
        (httpx.Response(200, html="<h1>sign in to the network</h1>"), Unavailable),
        (httpx.Response(302, headers={"Location": "https://elsewhere.test"}), Unavailable),
        (httpx.Response(400, json={"error": "invalid_request"}), AuthenticationError),
        (httpx.Response(403, html="<h1>blocked</h1>"), Unavailable),
    ],
    ids=repr,
)
def test_temporary_failure_keeps_the_grant(
    connection: Connection, wire: respx.MockRouter, answer: Any, expected: type[PingOneError]
) -> None:
    route = wire.post(f"{ISSUER}/token").mock(side_effect=[answer])

    with pytest.raises(expected):
        current(connection)

    connection.refresh_from_db()
    assert connection.state == NEEDS_ATTENTION
    assert connection.state_kind == expected.kind
    assert connection.unseal("refresh_token") == "the-refresh-token"
    route.mock(return_value=httpx.Response(200, json=sign_on.tokens()))
    lease_ages(connection, by=timedelta(seconds=31))
    assert current(connection).value == "new-access-token"
    connection.refresh_from_db()
    assert (connection.state, connection.state_cause) == (CONNECTED, "")
    assert history(connection) == [(NEEDS_ATTENTION, expected.kind), (CONNECTED, "")]


def test_failed_discovery_keeps_the_grant(connection: Connection, wire: respx.MockRouter) -> None:
    wire.get(f"{ISSUER}/.well-known/openid-configuration").respond(503)

    with pytest.raises(Unavailable):
        current(connection)

    connection.refresh_from_db()
    assert connection.state == NEEDS_ATTENTION


def test_failed_refresh_is_not_repeated_at_once(connection: Connection, wire: respx.MockRouter) -> None:
    route = wire.post(f"{ISSUER}/token").respond(503)
    for _ in range(3):
        with pytest.raises(Unavailable):
            current(connection)

    assert route.call_count == 1
    assert history(connection) == [(NEEDS_ATTENTION, "unavailable")]


def test_retry_after_of_a_refresh_is_honored(connection: Connection, wire: respx.MockRouter) -> None:
    route = wire.post(f"{ISSUER}/token").respond(429, headers={"Retry-After": "20"})
    for seconds in (0, 19):
        lease_ages(connection, by=timedelta(seconds=seconds))
        with pytest.raises(RateLimited):
            current(connection)
    assert route.call_count == 1

    lease_ages(connection, by=timedelta(seconds=1))
    with pytest.raises(RateLimited):
        current(connection)
    assert route.call_count == 2


@pytest.mark.parametrize("code", ["invalid_client", "unauthorized_client"])
@pytest.mark.parametrize("status", [400, 401])
def test_refused_application_needs_an_administrator(
    connection: Connection, wire: respx.MockRouter, code: str, status: int
) -> None:
    wire.post(f"{ISSUER}/token").respond(status, json={"error": code})

    for _ in range(2):  # the second error comes from the database row
        with pytest.raises(AuthenticationError):
            current(connection)

    assert history(connection) == [(RECONNECT_NEEDED, "authentication-error")]


def test_invalid_grant_for_the_stored_token_is_final(connection: Connection, wire: respx.MockRouter) -> None:
    description = "The refresh token cannot be used (Correlation ID: 1f0c-44-aa-77)"
    route = wire.post(f"{ISSUER}/token").respond(400, json={"error": "invalid_grant", "error_description": description})

    with pytest.raises(TokenRefreshFailure):
        current(connection)
    with pytest.raises(TokenRefreshFailure):
        current(connection)
    connection.refresh_from_db()
    with pytest.raises(TokenRefreshFailure):
        open_api(connection)

    assert route.call_count == 1
    assert history(connection) == [(RECONNECT_NEEDED, "token-refresh-failure")]
    assert "1f0c-44-aa-77" in connection.state_cause


def test_invalid_grant_is_not_final_if_another_request_stored_newer_tokens(
    connection: Connection, wire: respx.MockRouter
) -> None:
    def beaten(request: httpx.Request) -> httpx.Response:
        newer = Connection.objects.get()
        change(
            newer,
            sealed_access_token=newer.seal("access_token", "newer"),
            access_token_expires_at=timezone.now() + timedelta(hours=1),
            token_version=5,
        )
        return httpx.Response(400, json={"error": "invalid_grant"})

    wire.post(f"{ISSUER}/token").mock(side_effect=beaten)

    assert current(connection) == AccessToken("newer", 5)
    assert history(connection) == []


def test_grant_without_a_refresh_token_ends_with_the_access_token(
    connection: Connection, token_endpoint: respx.Route
) -> None:
    change(connection, sealed_refresh_token="")

    with pytest.raises(NoRefreshToken):
        current(connection)

    assert not token_endpoint.called
    assert history(connection) == [(RECONNECT_NEEDED, "no-refresh-token")]


def test_disconnecting_during_a_refresh_wins_and_the_new_tokens_are_revoked(
    connection: Connection, wire: respx.MockRouter
) -> None:
    revocation = wire.post(f"{ISSUER}/revoke").respond(200)

    def disconnected_meanwhile(request: httpx.Request) -> httpx.Response:
        authorization.disconnect(Connection.objects.get())
        return httpx.Response(200, json=sign_on.tokens())

    wire.post(f"{ISSUER}/token").mock(side_effect=disconnected_meanwhile)

    with pytest.raises(NotConnected):
        current(connection)

    connection.refresh_from_db()
    assert connection.state == State.DISCONNECTED
    assert (connection.sealed_access_token, connection.sealed_refresh_token) == ("", "")
    assert [form_of(call)["token"] for call in revocation.calls] == [
        "the-refresh-token",
        "the-access-token",
        "new-refresh-token",
        "new-access-token",
    ]


def test_connecting_again_during_a_refresh_wins(connection: Connection, wire: respx.MockRouter) -> None:
    wire.post(f"{ISSUER}/revoke").respond(200)

    def connected_meanwhile(request: httpx.Request) -> httpx.Response:
        other = Connection.objects.get()
        change(
            other,
            sealed_access_token=other.seal("access_token", "of the new grant"),
            access_token_expires_at=timezone.now() + timedelta(hours=1),
            consented_at=timezone.now(),
            token_version=9,
        )
        return httpx.Response(200, json=sign_on.tokens())

    wire.post(f"{ISSUER}/token").mock(side_effect=connected_meanwhile)

    assert current(connection) == AccessToken("of the new grant", 9)


def test_expired_lease_is_taken_over(connection: Connection, token_endpoint: respx.Route) -> None:
    change(connection, lease_owner=uuid4(), lease_until=timezone.now() - timedelta(seconds=1))

    assert current(connection).value == "new-access-token"


def test_wait_for_another_refresh_ends_with_an_error(
    connection: Connection, token_endpoint: respx.Route, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "WAIT_S", 0.1)
    change(connection, lease_owner=uuid4(), lease_until=timezone.now() + timedelta(seconds=30))

    with pytest.raises(BeingRenewed):
        current(connection)

    assert not token_endpoint.called


def test_exchange_does_not_begin_near_the_end_of_the_lease(
    connection: Connection, wire: respx.MockRouter, token_endpoint: respx.Route, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(request: httpx.Request) -> httpx.Response:
        late = time.monotonic() + 19
        monkeypatch.setattr(time, "monotonic", lambda: late)
        return httpx.Response(200, json=sign_on.discovery_document())

    wire.get(f"{ISSUER}/.well-known/openid-configuration").mock(side_effect=slow)
    with pytest.raises(Unavailable):
        current(connection)

    assert not token_endpoint.called


def test_lease_is_released_after_an_unexpected_error(
    connection: Connection, token_endpoint: respx.Route, monkeypatch: pytest.MonkeyPatch
) -> None:
    def mistaken(row: Connection) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as broken:
        broken.setattr(tokens, "open_client", mistaken)
        with pytest.raises(ZeroDivisionError):
            current(connection)

    assert current(connection).value == "new-access-token"


@pytest.mark.parametrize("column", ["sealed_refresh_token", "sealed_client_secret"])
def test_sealed_value_of_another_connection_is_refused(
    connection: Connection, globex: Organization, token_endpoint: respx.Route, column: str
) -> None:
    change(connection, **{column: getattr(globex.connection, column)})

    with pytest.raises(SealBroken):
        current(connection)

    assert not token_endpoint.called
    connection.refresh_from_db()
    assert connection.state == CONNECTED  # bringing the key back repairs it


def test_sealed_value_of_another_column_is_refused(acme: Organization) -> None:
    change(acme.connection, sealed_access_token=acme.connection.sealed_client_secret)

    with pytest.raises(SealBroken):
        current(acme.connection)


def test_rejected_token_is_renewed_once_and_the_call_repeated(
    acme: Organization, wire: respx.MockRouter, token_endpoint: respx.Route
) -> None:
    expired = {"code": "ACCESS_FAILED", "details": [{"code": "INVALID_TOKEN"}]}
    url = f"{API_URL}/v1/environments/{ENVIRONMENT}/users/x/enabled"
    wire.put(url, headers={"Authorization": "Bearer the-access-token"}).respond(401, json=expired)
    wire.put(url, headers={"Authorization": "Bearer new-access-token"}).respond(json={"enabled": True})

    assert open_api(acme.connection).put("/users/x/enabled", {"enabled": True}) == {"enabled": True}
    assert token_endpoint.call_count == 1


def test_rejected_token_that_was_already_replaced_is_not_renewed(
    acme: Organization, token_endpoint: respx.Route
) -> None:
    rejected = current(acme.connection)
    change(acme.connection, token_version=rejected.version + 1)

    assert StoredTokens(acme.connection.pk).renewed(rejected).version == rejected.version + 1
    assert not token_endpoint.called


def test_rejected_new_token_is_an_error(
    acme: Organization, wire: respx.MockRouter, token_endpoint: respx.Route
) -> None:
    route = wire.get(f"{API_URL}/v1/environments/{ENVIRONMENT}/users").respond(401)

    with pytest.raises(TokenRejected):
        open_api(acme.connection).get("/users")

    assert (route.call_count, token_endpoint.call_count) == (2, 1)


def test_missing_role_behind_a_401_renews_nothing(
    acme: Organization, wire: respx.MockRouter, token_endpoint: respx.Route
) -> None:
    refusal = {"code": "ACCESS_FAILED", "details": [{"code": "INSUFFICIENT_PERMISSIONS"}]}
    wire.get(f"{API_URL}/v1/environments/{ENVIRONMENT}/users").respond(401, json=refusal)

    with pytest.raises(PingOneError) as caught:
        open_api(acme.connection).get("/users")

    assert caught.value.kind == "missing-permission"
    assert not token_endpoint.called


@pytest.mark.parametrize("state", [State.NOT_CONNECTED, State.DISCONNECTED])
def test_token_needs_a_grant(acme: Organization, token_endpoint: respx.Route, state: Connection.State) -> None:
    change(acme.connection, state=state)

    with pytest.raises(NotConnected):
        current(acme.connection)


def test_access_token_is_not_in_its_repr() -> None:
    assert "secret" not in repr(AccessToken("secret", 1))


def test_refresh_in_progress_is_not_cut_off_by_the_page(connection: Connection, wire: respx.MockRouter) -> None:
    left = []

    def answer(request: httpx.Request) -> httpx.Response:
        left.append(deadline.left())
        return httpx.Response(200, json=sign_on.tokens())

    wire.post(f"{ISSUER}/token").mock(side_effect=answer)

    with deadline.within(5):
        current(connection)

    assert left == [None]


# A dead grant with a good access token

REFUSED = {"error": "invalid_grant"}


@pytest.fixture
def good(acme: Organization) -> Connection:
    """Return Acme's connection with an access token that is good for 34 more minutes."""
    return change(acme.connection, access_token_expires_at=timezone.now() + timedelta(minutes=34))


@pytest.mark.parametrize(
    ("columns", "answer", "raised"),
    [
        ({}, REFUSED, TokenRefreshFailure),
        ({}, {"error": "invalid_client"}, AuthenticationError),
        ({"sealed_refresh_token": ""}, None, NoRefreshToken),
    ],
    ids=["invalid_grant", "invalid_client", "no refresh token"],
)
def test_early_renewal_that_fails_for_good_keeps_the_access_token_until_it_expires(
    good: Connection,
    wire: respx.MockRouter,
    columns: dict[str, Any],
    answer: dict[str, str] | None,
    raised: type[PingOneError],
) -> None:
    change(good, **columns)
    route = wire.post(f"{ISSUER}/token").respond(400, json=answer)
    for _ in range(3):
        with pytest.raises(raised):
            tokens.renew(good)

    assert current(good) == AccessToken("the-access-token", 0)
    assert open_api(good).tokens.row().has_grant
    assert route.call_count == (1 if answer else 0), "PingOne is asked again with a dead grant"
    assert history(good) == [("ending", raised.kind)]
    good.refresh_from_db()
    cause = good.state_cause

    with time_machine.travel(timezone.now() + timedelta(minutes=35)):
        good.refresh_from_db()
        assert good.state_now == RECONNECT_NEEDED, "before any call finds out"
        for _ in range(2):
            with pytest.raises(raised):
                current(good)

    good.refresh_from_db()
    assert route.call_count == (1 if answer else 0)
    assert history(good) == [("ending", raised.kind), (RECONNECT_NEEDED, raised.kind)]
    assert good.state_cause == cause


def test_token_that_pingone_rejects_is_not_kept(good: Connection, wire: respx.MockRouter) -> None:
    wire.post(f"{ISSUER}/token").respond(400, json=REFUSED)
    wire.get(f"{API_URL}/v1/environments/{ENVIRONMENT}/users").respond(401)

    with pytest.raises(TokenRefreshFailure):
        open_api(good).get("/users")

    assert history(good) == [(RECONNECT_NEEDED, "token-refresh-failure")]


def test_token_that_pingone_rejects_later_ends_the_connection(good: Connection, wire: respx.MockRouter) -> None:
    route = wire.post(f"{ISSUER}/token").respond(400, json=REFUSED)
    wire.get(f"{API_URL}/v1/environments/{ENVIRONMENT}/users").respond(401)
    with pytest.raises(TokenRefreshFailure):
        tokens.renew(good)

    with pytest.raises(TokenRefreshFailure):
        open_api(good).get("/users")

    assert route.call_count == 1
    assert [state for state, _ in history(good)] == ["ending", RECONNECT_NEEDED]


def test_connecting_again_ends_the_end(good: Connection, wire: respx.MockRouter) -> None:
    wire.post(f"{ISSUER}/token").respond(400, json=REFUSED)
    with pytest.raises(TokenRefreshFailure):
        tokens.renew(good)

    grants.store(good, CONNECTED, {"sealed_refresh_token": good.seal("refresh_token", "newer")}, cause="Approved.")

    good.refresh_from_db()
    assert (good.state_now, good.can_be_renewed) == (CONNECTED, True)


def test_connection_without_a_refresh_token_ends_with_its_access_token(good: Connection) -> None:
    change(good, sealed_refresh_token="")
    assert (good.state, good.state_now, good.has_grant) == (CONNECTED, State.ENDING, True)

    change(good, access_token_expires_at=timezone.now())
    assert (good.state, good.state_now, good.has_grant) == (CONNECTED, RECONNECT_NEEDED, False)


@pytest.mark.django_db(transaction=True)
def test_several_early_renewals_with_a_dead_grant_ask_once(good: Connection, wire: respx.MockRouter) -> None:
    route = wire.post(f"{ISSUER}/token").respond(400, json=REFUSED)
    together = Barrier(8)

    def renew(_: int) -> str:
        row = Connection.objects.get()
        together.wait(timeout=30)
        try:
            tokens.renew(row)
        except TokenRefreshFailure:
            return StoredTokens(row.pk).current().value
        finally:
            database.close()
        return "renewed"

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(renew, range(8))) == {"the-access-token"}
    assert route.call_count == 1
    assert history(good) == [("ending", "token-refresh-failure")]
