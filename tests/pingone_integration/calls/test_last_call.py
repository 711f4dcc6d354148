"""The last call to PingOne: a connection whose calls fail needs attention until a call works again."""

from contextlib import suppress
from typing import Any

import httpx
import pytest
import respx

from pingone_integration.calls.any_endpoint import Endpoint, call
from pingone_integration.calls.api import PingOneApi
from pingone_integration.calls.parallel import at_once
from pingone_integration.errors import OutOfTime, PingOneError
from pingone_integration.models import Connection
from tests.support.answers import ADA, error

CONNECTED, NEEDS_ATTENTION = Connection.State.CONNECTED, Connection.State.NEEDS_ATTENTION
REFUSED = httpx.Response(403, json=error("ACCESS_FAILED", "INSUFFICIENT_PERMISSIONS"))
TAKEN = httpx.Response(400, json=error("INVALID_DATA", "UNIQUENESS_VIOLATION", "username"))
LIMITED = httpx.Response(429, json=error("REQUEST_LIMITED"))
NOT_FOUND = httpx.Response(404, json=error("NOT_FOUND"))
LISTED = httpx.Response(200, json={})
DOWN = httpx.Response(503)


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pingone_integration.calls.api.time.sleep", lambda _: None)
    monkeypatch.setattr("pingone_integration.calls.rate_limit.refused", lambda *_: None)


def ask(api: PingOneApi, path: str = "/users") -> None:
    with suppress(PingOneError):
        api.get(path)


def row() -> Connection:
    return Connection.objects.get()


SHOWS_FAILURE: list[httpx.Response | Exception] = [
    DOWN,
    httpx.Response(500),
    httpx.Response(200, html="<h1>sign in</h1>"),
    httpx.Response(301),
]
SHOWS_FAILURE += [httpx.ConnectError("refused"), httpx.ReadTimeout("slow"), httpx.ReadError("reset"), REFUSED]
SHOWS_FAILURE += [httpx.Response(403, html="<h1>blocked</h1>")]


@pytest.mark.parametrize("answer", SHOWS_FAILURE, ids=repr)
def test_one_failed_call_is_known_and_the_next_good_one_too(
    api: PingOneApi, pingone: respx.MockRouter, answer: Any
) -> None:
    users = pingone.get("/users").mock(side_effect=answer if isinstance(answer, Exception) else [answer] * 3)
    ask(api)

    assert (row().state, row().state_now) == (CONNECTED, NEEDS_ATTENTION)
    assert not row().events.exists(), "an email for each failed call"

    users.mock(side_effect=None, return_value=LISTED)
    ask(api)

    assert (row().state_now, row().calls_failing_kind) == (CONNECTED, "")


@pytest.mark.parametrize("answer", [TAKEN, LIMITED, NOT_FOUND], ids=repr)
def test_answer_about_the_request_says_nothing_about_the_connection(
    api: PingOneApi, pingone: respx.MockRouter, answer: httpx.Response
) -> None:
    pingone.get("/users").mock(return_value=answer)
    ask(api)

    assert row().state_now == CONNECTED


@pytest.mark.parametrize("raised", [httpx.PoolTimeout("ours"), OutOfTime("ours")], ids=repr)
def test_failure_of_our_own_says_nothing_about_the_connection(
    api: PingOneApi, pingone: respx.MockRouter, raised: Exception
) -> None:
    pingone.get("/users").mock(side_effect=raised)
    ask(api)

    assert row().state_now == CONNECTED


def test_page_that_waited_for_long_shows_that_pingone_is_down(
    api: PingOneApi, pingone: respx.MockRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pingone_integration.calls.api.SLOW_S", -1)
    pingone.get("/users").mock(side_effect=OutOfTime("slow"))
    ask(api)

    assert (row().state_now, row().calls_failing_kind) == (NEEDS_ATTENTION, "out-of-time")


def test_lost_role_is_known_from_users_only_and_until_users_are_shown_again(
    api: PingOneApi, pingone: respx.MockRouter
) -> None:
    pingone.get("/groups").mock(return_value=REFUSED)
    one = pingone.get(f"/users/{ADA}").mock(return_value=REFUSED)
    pingone.get("/populations").mock(return_value=LISTED)
    ask(api, "/groups")
    assert row().state_now == CONNECTED, "few roles are not lost roles"

    ask(api, f"/users/{ADA}")
    ask(api, "/populations")
    assert (row().state_now, row().calls_failing_kind) == (NEEDS_ATTENTION, "missing-permission")

    one.mock(return_value=LISTED)
    ask(api, f"/users/{ADA}")
    assert row().state_now == CONNECTED


def test_parallel_calls_are_noted_together(api: PingOneApi, pingone: respx.MockRouter) -> None:
    pingone.get("/groups").mock(return_value=LISTED)
    pingone.get("/users").mock(return_value=DOWN)
    reads = [lambda api, path=path: api.get(path) for path in ("/groups", "/users")]
    for _ in range(2):
        at_once(api, *reads)
        assert row().calls_failing_kind == "unavailable"

    pingone.get("/users").mock(return_value=LISTED)
    at_once(api, *reads)
    assert row().state_now == CONNECTED


@pytest.mark.parametrize(("status", "state"), [(503, NEEDS_ATTENTION), (403, CONNECTED), (200, CONNECTED)])
def test_call_of_any_endpoint_is_noted(
    api: PingOneApi, pingone: respx.MockRouter, status: int, state: Connection.State
) -> None:
    pingone.post("/roles").respond(status, json={})
    call(api, "POST", Endpoint(path="/roles", query=()), body="{}", media_type="application/json")

    assert row().state_now == state


def test_calls_cost_no_query_as_long_as_they_end_alike(
    api: PingOneApi, pingone: respx.MockRouter, django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pingone_integration.calls.failed_calls.count_call", lambda *_: None)
    users = pingone.get("/users").mock(return_value=LISTED)
    with django_assert_num_queries(1):  # the token's
        ask(api)

    users.mock(return_value=DOWN)
    ask(api)
    with django_assert_num_queries(1):
        ask(api)


def test_failure_to_note_does_not_hide_the_answer(
    api: PingOneApi, pingone: respx.MockRouter, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("pingone_integration.calls.last_call._note", lambda *_: 1 / 0)
    pingone.get("/users").mock(return_value=httpx.Response(200, json={"size": 1}))

    assert api.get("/users") == {"size": 1}
    assert "could not be noted" in caplog.text
