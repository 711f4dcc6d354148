"""The circuit breaker: after repeated failures, calls fail at once for a pause. Then a single caller tries again."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import httpx
import pytest
import respx
import time_machine
from django.db import connection as database
from django.utils import timezone

from console.models import Organization
from pingone_integration import checks
from pingone_integration.calls import breaker
from pingone_integration.calls.api import PingOneApi
from pingone_integration.calls.breaker import IN_A_ROW, TRIAL
from pingone_integration.checks import BY_KEY, State, Subject
from pingone_integration.connection import grants
from pingone_integration.errors import CallsPaused, OutOfTime, PingOneError, Unavailable
from pingone_integration.models import Connection
from tests.support.people import API_URL, ENVIRONMENT
from tests.support.sign_on import ISSUER, discoverable, tokens

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
CONNECTED, NEEDS_ATTENTION = Connection.State.CONNECTED, Connection.State.NEEDS_ATTENTION


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pingone_integration.calls.api.time.sleep", lambda _: None)
    # A 429 would otherwise delay all callers.
    monkeypatch.setattr("pingone_integration.calls.rate_limit.refused", lambda *_: None)


@pytest.fixture
def clock(acme: Organization) -> Iterator[time_machine.Traveller]:
    """Freeze the time until a test moves it."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def users(pingone: respx.MockRouter) -> respx.Route:
    return pingone.get("/users").respond(503)


def outcome(api: PingOneApi) -> str:
    try:
        api.get("/users")
    except PingOneError as error:
        return error.kind
    return "answered"


def fail(api: PingOneApi, times: int = IN_A_ROW) -> None:
    for _ in range(times):
        assert outcome(api) not in {"answered", "calls-paused"}


def row_of(api: PingOneApi) -> Connection:
    return Connection.objects.get(pk=api.connection_id)


def history(api: PingOneApi) -> list[tuple[str, str]]:
    return [(event.state, event.kind) for event in row_of(api).events.order_by("id")]


def test_breaker_opens_after_five_failures_and_names_the_end_of_the_pause(
    api: PingOneApi, users: respx.Route, clock: time_machine.Traveller
) -> None:
    fail(api)
    sent = users.call_count

    with timezone.override("Europe/Stockholm"), pytest.raises(CallsPaused) as caught:
        api.get("/users")

    assert users.call_count == sent
    assert caught.value.retry_after_s == 5
    assert caught.value.outcome_known
    assert "PingOne is not responding properly" in str(caught.value.cause)
    assert "13:00:05 CET" in str(caught.value.cause)
    row = row_of(api)
    assert (row.state, row.state_kind) == (NEEDS_ATTENTION, "unavailable")
    assert history(api) == [("needs_attention", "unavailable")]


def test_paused_write_has_a_known_outcome(api: PingOneApi, users: respx.Route, clock: time_machine.Traveller) -> None:
    fail(api)

    with pytest.raises(CallsPaused) as caught:
        api.post("/users", {"username": "ada"})

    assert caught.value.outcome_known
    assert "may have been made" not in str(caught.value.title)


COUNT = [502, 503, 504, httpx.ConnectError("refused"), httpx.ConnectTimeout("slow"), httpx.ReadTimeout("slow")]
COUNT += [httpx.ReadError("reset"), httpx.RemoteProtocolError("cut")]


@pytest.mark.parametrize("failure", COUNT, ids=repr)
def test_breaker_counts_signs_that_pingone_is_down(
    api: PingOneApi, users: respx.Route, failure: int | Exception
) -> None:
    users.mock(side_effect=lambda _: httpx.Response(failure)) if isinstance(failure, int) else users.mock(
        side_effect=failure
    )
    fail(api)

    assert outcome(api) == "calls-paused"


@pytest.mark.parametrize("status", [400, 403, 404, 429, 500])
def test_breaker_counts_no_failure_that_pingone_answered(api: PingOneApi, users: respx.Route, status: int) -> None:
    users.respond(status)
    fail(api, 2 * IN_A_ROW)

    assert outcome(api) != "calls-paused"


@pytest.mark.parametrize("status", [200, 404, 429, 500])
def test_breaker_starts_over_after_an_answer(api: PingOneApi, users: respx.Route, status: int) -> None:
    fail(api, IN_A_ROW - 1)
    users.respond(status, json={})
    outcome(api)
    users.respond(503)
    fail(api, IN_A_ROW - 1)

    assert row_of(api).calls_paused_until is None


def test_breaker_ignores_a_page_that_had_no_time_left(api: PingOneApi, users: respx.Route) -> None:
    users.mock(side_effect=OutOfTime)
    fail(api, 2 * IN_A_ROW)

    assert row_of(api).calls_paused_until is None


def test_breaker_counts_a_page_that_waited_until_its_deadline(
    api: PingOneApi, users: respx.Route, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pingone_integration.calls.api.SLOW_S", -1)
    users.mock(side_effect=OutOfTime)
    fail(api)

    assert outcome(api) == "calls-paused"


def test_breaker_ignores_an_answer_that_is_too_large(
    api: PingOneApi, users: respx.Route, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pingone_integration.calls.transport.MAX_ANSWER_BYTES", 1)
    users.respond(200, json={"count": 1})
    fail(api, 2 * IN_A_ROW)

    assert row_of(api).calls_paused_until is None


def test_breaker_closes_with_the_first_answer_after_the_pause(
    api: PingOneApi, users: respx.Route, clock: time_machine.Traveller
) -> None:
    fail(api)
    users.respond(json={})
    clock.shift(6)

    assert [outcome(api) for _ in range(3)] == ["answered"] * 3

    row = row_of(api)
    assert (row.state, row.calls_paused_until, row.calls_paused_s) == (CONNECTED, None, 0)
    assert history(api) == [("needs_attention", "unavailable"), ("connected", "")]


def test_pause_doubles_with_each_failed_trial_up_to_a_minute(
    api: PingOneApi, users: respx.Route, clock: time_machine.Traveller
) -> None:
    fail(api)
    lengths = []
    for _ in range(6):
        until = row_of(api).calls_paused_until
        assert until is not None
        lengths.append((until - timezone.now()).total_seconds())
        clock.move_to(until)
        fail(api, 1)

    assert lengths == [5, 10, 20, 40, 60, 60]
    assert history(api) == [("needs_attention", "unavailable")]


def test_pause_is_shared_between_processes(
    api: PingOneApi, pingone: respx.MockRouter, clock: time_machine.Traveller
) -> None:
    Connection.objects.update(calls_paused_until=NOON + timedelta(seconds=40), state_kind="connection-failure")

    with pytest.raises(CallsPaused) as caught:
        api.get("/users")

    assert caught.value.retry_after_s == 40
    assert "could not be reached" in str(caught.value.cause)


def test_pause_is_not_extended_by_late_failures_of_other_calls(
    api: PingOneApi, users: respx.Route, clock: time_machine.Traveller
) -> None:
    fail(api)
    for _ in range(2 * IN_A_ROW):
        breaker.failed(api.connection_id, Unavailable(), tried=False)

    assert row_of(api).calls_paused_until == NOON + timedelta(seconds=5)


def test_trial_after_the_pause_is_given_to_a_single_caller(
    transactional_db: None, api: PingOneApi, users: respx.Route
) -> None:
    fail(api)
    Connection.objects.update(calls_paused_until=timezone.now())
    together = Barrier(20)

    def tries(_: int) -> bool:
        row = row_of(api)
        together.wait(timeout=30)
        try:
            return breaker.let_pass(row)
        except CallsPaused:
            return False
        finally:
            database.close()

    with ThreadPoolExecutor(20) as threads:
        assert Counter(threads.map(tries, range(20))) == {True: 1, False: 19}
    assert outcome(api) == "calls-paused"


def test_trial_is_given_to_another_caller_after_the_first_dies(
    api: PingOneApi, users: respx.Route, clock: time_machine.Traveller
) -> None:
    fail(api)
    clock.shift(5)
    assert breaker.let_pass(row_of(api))  # and the caller dies
    users.respond(json={})

    assert outcome(api) == "calls-paused"
    clock.shift(TRIAL)
    assert outcome(api) == "answered"


def test_check_calls_pingone_during_a_pause_and_an_answer_ends_the_pause(
    acme: Organization, api: PingOneApi, users: respx.Route, clock: time_machine.Traveller
) -> None:
    fail(api)
    subject = Subject(acme.connection, "https://console.test/connect/callback/")
    assert checks.run(BY_KEY["read-users"], subject).state == State.CANNOT_TELL
    assert row_of(api).calls_paused_until == NOON + timedelta(seconds=5)

    users.respond(json={})
    assert checks.run(BY_KEY["read-users"], subject).state == State.PASSED

    assert outcome(api) == "answered"
    assert row_of(api).state == CONNECTED


def test_breaker_leaves_an_ended_grant_ended(
    api: PingOneApi, users: respx.Route, clock: time_machine.Traveller
) -> None:
    fail(api, IN_A_ROW - 1)
    ended = {"state": Connection.State.RECONNECT_NEEDED, "state_kind": "token-refresh-failure"}
    Connection.objects.update(**ended)

    breaker.failed(api.connection_id, Unavailable(), tried=False)

    row = row_of(api)
    assert (row.state, row.state_kind, row.calls_paused_until) == (*ended.values(), None)


def test_connecting_again_ends_the_pause(api: PingOneApi, users: respx.Route, clock: time_machine.Traveller) -> None:
    fail(api)

    grants.store(row_of(api), CONNECTED, {}, cause="Approved.")

    row = row_of(api)
    assert (row.state, row.calls_paused_until, row.calls_paused_s) == (CONNECTED, None, 0)


def test_connection_needs_attention_after_a_refresh_until_a_call_succeeds(
    api: PingOneApi, acme: Organization, clock: time_machine.Traveller
) -> None:
    url = f"{API_URL}/v1/environments/{ENVIRONMENT}/users"
    with respx.mock(assert_all_called=False) as wire:
        discoverable(wire)
        wire.post(f"{ISSUER}/token").respond(json=tokens())
        calls = wire.get(url).respond(503)
        fail(api)
        Connection.objects.update(access_token_expires_at=NOON)
        clock.shift(5)

        fail(api, 1)
        assert history(api) == [("needs_attention", "unavailable")]

        calls.respond(json={})
        clock.shift(10)
        assert outcome(api) == "answered"

    assert history(api) == [("needs_attention", "unavailable"), ("connected", "")]


def test_breaker_costs_no_query_while_pingone_answers(
    api: PingOneApi, users: respx.Route, django_assert_num_queries: Any
) -> None:
    users.respond(json={})

    with django_assert_num_queries(1):  # the token's
        api.get("/users")
