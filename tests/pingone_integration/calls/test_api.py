"""The PingOne API client: retries, limits, and the one PingOneError for each bad answer, which says what to do."""

import gzip
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import respx
import time_machine

from console.models import Organization
from pingone_integration import errors
from pingone_integration.calls import deadline, empty_answers, transport
from pingone_integration.calls.api import PingOneApi, http_client
from pingone_integration.connection.open_api import open_api
from pingone_integration.errors import PingOneError
from tests.support.people import API_URL, ENVIRONMENT
from tests.support.sandbox_server import ROOT

TRANSACTION = UUID("11111111-2222-4333-8444-555555555555")
BASE = f"{API_URL}/v1/environments/{ENVIRONMENT}"


@pytest.fixture
def api(acme: Organization) -> PingOneApi:
    return open_api(acme.connection, transaction_id=TRANSACTION)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Record the pauses between attempts in seconds, without waiting."""
    waited: list[float] = []
    monkeypatch.setattr(f"{PingOneApi.__module__}.time.sleep", waited.append)
    return waited


def envelope(code: str, *details: str, **more: Any) -> dict[str, Any]:
    listed = [{"code": detail, "target": "username", "message": "for developers"} for detail in details]
    return {"id": "an-error-id", "code": code, "message": "for developers", "details": listed, **more}


def test_call_carries_the_token_and_our_transaction_id(api: PingOneApi, pingone: respx.MockRouter) -> None:
    route = pingone.get("/users/x", params={"expand": "population"}).respond(json={"id": "x"})

    assert api.get("/users/x", {"expand": "population"}) == {"id": "x"}

    headers = route.calls.last.request.headers
    assert headers["Authorization"] == "Bearer the-access-token"
    assert headers["X-Ping-External-Transaction-ID"] == str(TRANSACTION)
    assert headers["Accept"] == "application/json"
    assert "Content-Type" not in headers


@pytest.mark.parametrize("media_type", ["application/json", "application/vnd.pingidentity.account.unlock+json"])
def test_write_states_its_media_type(api: PingOneApi, pingone: respx.MockRouter, media_type: str) -> None:
    route = pingone.post("/users/x").respond(201, json={})

    api.post("/users/x", {"a": "é"}, media_type=media_type)

    request = route.calls.last.request
    assert request.headers["Content-Type"] == media_type
    assert request.content == '{"a":"é"}'.encode()


def test_answer_without_content_is_an_answer_with_204_alone(api: PingOneApi, pingone: respx.MockRouter) -> None:
    pingone.delete("/users/x").respond(204)
    pingone.post("/users/x").respond(200)
    pingone.get("/users/x").respond(200)

    api.delete("/users/x")

    for ask, known in ((api.post, False), (api.get, True)):
        with pytest.raises(errors.Unavailable) as caught:
            ask("/users/x")
        assert caught.value.outcome_known is known


def test_empty_answers_to_writes_can_be_collected(api: PingOneApi, pingone: respx.MockRouter) -> None:
    pingone.post("/users/x").respond(200)
    pingone.get("/users/x").respond(200)

    with empty_answers.collected() as found:
        assert api.post("/users/x") == {}
        with pytest.raises(errors.Unavailable):
            api.get("/users/x")

    assert [trace.call for trace in found] == ["POST /users/x"]


STATUSES = [
    (400, envelope("INVALID_DATA", "INVALID_VALUE"), "invalid-value"),
    (400, envelope("INVALID_REQUEST"), "invalid-value"),
    (400, envelope("INVALID_DATA", "UNIQUENESS_VIOLATION"), "duplicate"),
    (409, envelope("INVALID_DATA", "UNIQUENESS_VIOLATION"), "duplicate"),
    (400, envelope("REQUEST_FAILED"), "refused-by-state"),
    (400, envelope("INVALID_DATA", "NO_PASSWORD"), "refused-by-state"),
    (415, envelope("INVALID_REQUEST"), "refused-by-state"),
    (401, envelope("ACCESS_FAILED", "INSUFFICIENT_PERMISSIONS"), "missing-permission"),
    (403, envelope("ACCESS_FAILED", "INSUFFICIENT_PERMISSIONS"), "missing-permission"),
    (403, envelope("ACCESS_FAILED"), "missing-permission"),
    (403, envelope("ACCESS_FAILED", "LICENSE_EXCEEDED"), "license-exceeded"),
    (403, {"message": "not a valid key=value pair in Authorization header"}, "blocked"),
    (403, None, "blocked"),
    (404, envelope("NOT_FOUND"), "target-not-found"),
    (404, None, "target-not-found"),
    (405, envelope("INVALID_REQUEST"), "unexpected"),
    (408, None, "unavailable"),
    (409, envelope("CONFLICT"), "invalid-value"),
    (413, None, "invalid-value"),
    (431, None, "invalid-value"),
    (429, envelope("REQUEST_LIMITED", "LIMIT_EXCEEDED"), "rate-limited"),
    (500, envelope("UNEXPECTED_ERROR"), "unavailable"),
    (502, None, "unavailable"),
    (301, None, "unavailable"),
    (307, None, "unavailable"),
]


@pytest.mark.parametrize(("status", "body", "kind"), STATUSES)
@pytest.mark.parametrize("method", ["get", "post"])
def test_each_failure_becomes_the_error_that_says_what_to_do(
    api: PingOneApi,
    pingone: respx.MockRouter,
    pauses: list[float],
    method: str,
    status: int,
    body: dict[str, Any] | None,
    kind: str,
) -> None:
    headers = {"Correlation-Id": "a-correlation-id", "Location": "https://elsewhere.test/"}
    answer = {"json": body} if body is not None else {"html": "<h1>gateway</h1>"}
    pingone.route(path__startswith="/").respond(status, headers=headers, **answer)

    with pytest.raises(PingOneError) as caught:
        getattr(api, method)("/users")

    assert caught.value.kind == kind
    assert caught.value.outcome_known == (method == "get" or kind != "unavailable")
    trace = caught.value.trace
    assert (trace.status, trace.correlation_id, trace.transaction_id) == (status, "a-correlation-id", str(TRANSACTION))
    assert trace.call == f"{method.upper()} /users"
    if body and "code" in body:
        assert (trace.code, trace.error_id) == (body["code"], "an-error-id")
        assert [detail.target for detail in caught.value.details] == ["username"] * len(body["details"])


@pytest.mark.parametrize(
    "body",
    [
        b"<html>sign in to the network</html>",
        b'{"id": "cut o',
        b'["a", "list"]',
        b'"text"',
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b" ",
    ],
    ids=["html", "cut", "list", "text", "binary", "deep", "blank"],
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_success_without_a_json_object_is_unavailable(
    api: PingOneApi, pingone: respx.MockRouter, body: bytes, method: str
) -> None:
    pingone.route(path__startswith="/").respond(200, content=body)

    with pytest.raises(errors.Unavailable) as caught:
        getattr(api, method)("/users")

    assert caught.value.outcome_known == (method == "get")


@pytest.mark.parametrize(
    "body",
    [
        {"code": 7, "id": ["x"], "message": {"a": 1}, "details": "none"},
        {"code": "INVALID_DATA", "details": [None, "x", {"innerError": "no object"}, {"code": None, "target": 5}]},
        [],
    ],
    ids=["odd members", "odd details", "a list"],
)
def test_odd_error_envelope_is_tolerated(api: PingOneApi, pingone: respx.MockRouter, body: Any) -> None:
    pingone.get("/users").respond(400, json=body)

    with pytest.raises(errors.InvalidValue) as caught:
        api.get("/users")

    assert all(isinstance(detail.target, str) for detail in caught.value.details)


NOTHING_SENT = [httpx.ConnectError("refused"), httpx.ConnectTimeout("slow"), httpx.PoolTimeout("busy")]
PERHAPS_SENT = [httpx.ReadError("reset"), httpx.RemoteProtocolError("cut"), httpx.WriteError("reset")]
TIMED_OUT = [httpx.ReadTimeout("slow"), httpx.WriteTimeout("slow")]
BROKEN = [NOTHING_SENT[0], *PERHAPS_SENT]


@pytest.mark.parametrize("failure", [*BROKEN, 502, 503, 504], ids=repr)
def test_read_is_retried_twice_with_jitter(
    api: PingOneApi, pingone: respx.MockRouter, pauses: list[float], failure: Exception | int
) -> None:
    first = httpx.Response(failure) if isinstance(failure, int) else failure
    pingone.get("/users").mock(side_effect=[first, first, httpx.Response(200, json={"count": 1})])

    assert api.get("/users") == {"count": 1}
    assert len(set(pauses)) == 2
    assert max(pauses) < 0.5


@pytest.mark.parametrize("failure", [*TIMED_OUT, *NOTHING_SENT[1:], 500, 429], ids=repr)
def test_read_is_not_retried_when_a_retry_only_takes_longer(
    api: PingOneApi, pingone: respx.MockRouter, pauses: list[float], failure: Exception | int
) -> None:
    first = httpx.Response(failure) if isinstance(failure, int) else failure
    route = pingone.get("/users").mock(side_effect=[first])

    with pytest.raises(PingOneError):
        api.get("/users")

    assert (route.call_count, pauses) == (1, [])


def test_read_stops_after_three_attempts(api: PingOneApi, pingone: respx.MockRouter, pauses: list[float]) -> None:
    route = pingone.get("/users").mock(side_effect=[httpx.Response(503), *BROKEN[:2]])

    with pytest.raises(errors.Unavailable):
        api.get("/users")

    assert route.call_count == 3


@pytest.mark.parametrize("failure", [BROKEN[0], 503, 429], ids=repr)
def test_retry_pause_never_outlasts_the_deadline(
    api: PingOneApi, pingone: respx.MockRouter, pauses: list[float], failure: Exception | int
) -> None:
    first = httpx.Response(failure, headers={"Retry-After": "2"}) if isinstance(failure, int) else failure
    pingone.get("/users").mock(side_effect=[first, first, first])

    with deadline.within(0.05), pytest.raises(PingOneError) as caught:
        api.get("/users")

    assert sum(pauses) <= 0.05
    assert caught.value.trace.transaction_id == str(TRANSACTION)


@pytest.mark.parametrize("failure", [*NOTHING_SENT, *PERHAPS_SENT, *TIMED_OUT, 502, 503, 504, 429], ids=repr)
def test_write_is_never_repeated(
    api: PingOneApi, pingone: respx.MockRouter, pauses: list[float], failure: Exception | int
) -> None:
    first = httpx.Response(failure, headers={"Retry-After": "1"}) if isinstance(failure, int) else failure
    route = pingone.post("/users").mock(side_effect=[first])

    with pytest.raises(PingOneError) as caught:
        api.post("/users", {"username": "ada"})

    assert (route.call_count, pauses) == (1, [])
    assert caught.value.outcome_known == (failure in NOTHING_SENT or failure == 429)


@pytest.mark.parametrize(("retry_after", "waited"), [("0", [0.0] * 2), ("2", [2.0] * 2), ("3", []), ("", [])])
def test_read_waits_for_a_short_retry_after(
    api: PingOneApi, pingone: respx.MockRouter, pauses: list[float], retry_after: str, waited: list[float]
) -> None:
    limited = httpx.Response(429, headers={"Retry-After": retry_after})
    route = pingone.get("/users").mock(side_effect=[limited, limited, limited])

    with pytest.raises(errors.RateLimited):
        api.get("/users")

    assert pauses == waited
    assert route.call_count == 1 + len(waited)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("17", 17),
        (" 17 ", 17),
        ("Fri, 20 Nov 2026 12:00:30 GMT", 30),
        ("Fri, 20 Nov 2026 12:00:30 -0000", 30),
        ("Fri, 20 Nov 2026 11:00:00 GMT", 0),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
        ("soon", None),
        ("9" * 5000, None),
        ("Fri, 99 Nov 2026 12:00:30 GMT", None),
        ("", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_date(
    api: PingOneApi, pingone: respx.MockRouter, header: str, seconds: int | None
) -> None:
    pingone.post("/users").respond(429, headers={b"Retry-After": header.encode()})

    with (
        time_machine.travel(datetime(2026, 11, 20, 12, tzinfo=UTC), tick=False),
        pytest.raises(errors.RateLimited) as caught,
    ):
        api.post("/users")

    assert caught.value.retry_after_s == seconds


def test_redirect_is_not_followed(api: PingOneApi, pingone: respx.MockRouter) -> None:
    route = pingone.get("/users").respond(302, headers={"Location": f"{BASE}/users?again"})

    with pytest.raises(errors.Unavailable):
        api.get("/users")

    assert route.call_count == 1


def test_cookies_are_not_kept(api: PingOneApi, pingone: respx.MockRouter) -> None:
    route = pingone.get("/users").respond(json={}, headers={"Set-Cookie": "tracking=acme; Path=/"})

    api.get("/users")
    api.get("/users")

    assert "Cookie" not in route.calls.last.request.headers


def chunks(count: int, size: int = 100_000) -> Iterator[bytes]:
    for _ in range(count):
        yield b" " * size


@pytest.mark.parametrize("method", ["get", "post"])
def test_endless_answer_is_dropped(api: PingOneApi, pingone: respx.MockRouter, method: str) -> None:
    taken = []

    def endless() -> Iterator[bytes]:
        for chunk in chunks(1000):
            taken.append(chunk)
            yield chunk

    answers = [httpx.Response(200, content=endless()), httpx.Response(200, content=endless())]
    pingone.route(path__startswith="/").mock(side_effect=answers)

    with pytest.raises(errors.Unavailable) as caught:
        getattr(api, method)("/users")

    assert caught.value.outcome_known == (method == "get")
    assert len(taken) * 100_000 < 3 * transport.MAX_ANSWER_BYTES


def test_answer_that_trickles_in_is_dropped(
    api: PingOneApi, pingone: respx.MockRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "MAX_ANSWER_SECONDS", -1.0)
    route = pingone.get("/users").respond(200, content=chunks(3, size=1))

    with pytest.raises(errors.Unavailable):
        api.get("/users")

    assert route.call_count == 1


def test_compressed_answer_is_measured_unpacked(api: PingOneApi, pingone: respx.MockRouter) -> None:
    bomb = gzip.compress(b" " * (transport.MAX_ANSWER_BYTES + 1))
    pingone.post("/users").respond(200, content=bomb, headers={"Content-Encoding": "gzip"})
    small = gzip.compress(b'{"count": 1}')
    pingone.get("/users").respond(200, content=small, headers={"Content-Encoding": "gzip"})

    assert api.get("/users") == {"count": 1}
    with pytest.raises(errors.Unavailable):
        api.post("/users")


def test_inflating_stops_at_the_limit(api: PingOneApi, pingone: respx.MockRouter) -> None:
    bomb = gzip.compress(bytes(200_000_000), compresslevel=9)
    pingone.post("/users").respond(200, content=iter([bomb]), headers={"Content-Encoding": "gzip"})
    tracemalloc.start()
    try:
        with pytest.raises(errors.Unavailable):
            api.post("/users")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 4 * transport.MAX_ANSWER_BYTES


@pytest.mark.parametrize("encoding", ["br", "gzip, gzip", "gzip, br", "deflate", "zstd", "gzip,identity"])
def test_other_or_stacked_encodings_are_refused(api: PingOneApi, pingone: respx.MockRouter, encoding: str) -> None:
    body = gzip.compress(gzip.compress(b"{}"))
    route = pingone.post("/users").respond(200, content=iter([body]), headers={"Content-Encoding": encoding})

    with pytest.raises(errors.Unavailable):
        api.post("/users")

    assert route.calls.last.request.headers["Accept-Encoding"] == "gzip"


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("GZIP", gzip.compress(b'{"count": 1}')),
        ("x-gzip", gzip.compress(b'{"count"') + gzip.compress(b": 1}")),
        ("identity", b'{"count": 1}'),
    ],
    ids=["upper case", "two parts", "not compressed"],
)
def test_compressed_answer_is_read(api: PingOneApi, pingone: respx.MockRouter, encoding: str, body: bytes) -> None:
    pingone.get("/users").respond(200, content=iter([body[:5], body[5:]]), headers={"Content-Encoding": encoding})

    assert api.get("/users") == {"count": 1}


def test_broken_compression_is_no_answer(api: PingOneApi, pingone: respx.MockRouter) -> None:
    pingone.post("/users").respond(200, content=iter([b"no gzip"]), headers={"Content-Encoding": "gzip"})

    with pytest.raises(errors.Unavailable):
        api.post("/users")


def test_timeouts_are_all_set() -> None:
    waits = http_client().timeout.as_dict().values()

    assert all(wait is not None and wait <= 10 for wait in waits)


def test_proxy_of_the_environment_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.test:3128")
    http_client.cache_clear()

    assert http_client()._mounts == {}


FORK = """
import os
import django
django.setup()
from pingone_integration.calls.api import http_client
from pingone_integration.calls.transport import shared_transport
before = http_client(), shared_transport()
if os.fork() == 0:
    shared = http_client() is before[0] or shared_transport() is before[1]
    os._exit(1 if shared else 0)
_, status = os.wait()
assert http_client() is before[0]
raise SystemExit(os.waitstatus_to_exitcode(status))
"""


def test_forked_worker_has_connections_of_its_own() -> None:
    assert subprocess.run([sys.executable, "-c", FORK], cwd=ROOT, check=False, timeout=60).returncode == 0


def test_api_needs_a_chosen_environment(acme: Organization) -> None:
    acme.connection.managed_environment_id = None

    with pytest.raises(errors.NoEnvironmentChosen):
        open_api(acme.connection)


def test_transaction_id_is_new_for_each_api(acme: Organization) -> None:
    ids = {open_api(acme.connection).transaction_id for _ in range(2)}

    assert len(ids | {uuid4()}) == 3
