"""The deadline of a page on real sockets: a slow PingOne never holds the page longer than its deadline."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from console.models import Organization
from pingone_integration.calls import deadline
from pingone_integration.calls.api import PingOneApi
from pingone_integration.calls.gate import AccessToken
from pingone_integration.connection import authorization, tokens
from pingone_integration.connection.tokens import StoredTokens
from pingone_integration.errors import BeingRenewed, OutOfTime, Unavailable
from pingone_integration.models import Connection

LONG = 5.0  # seconds; far above the deadlines here, and below the calls' own timeouts


class Given:
    """An access token that needs no lookup."""

    def row(self) -> Connection:
        return Connection()

    def current(self, row: Connection) -> AccessToken:
        return AccessToken("the-access-token", 0)

    def renewed(self, rejected: AccessToken) -> AccessToken:
        raise AssertionError("nobody rejects it")


@contextmanager
def dawdling(*, trickles: bool) -> Iterator[str]:
    """Yield the address of a server that sends a byte every 20 ms (`trickles`), or no answer at all."""
    over = Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if trickles:
                self.send_response(200)
                self.send_header("Content-Length", "100000")
                self.end_headers()
            while not over.wait(0.02):
                if trickles:
                    self.wfile.write(b" ")

        do_PUT = do_GET  # noqa: N815 - named by http.server

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named by http.server
            """Log nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """Ignore the client's disconnect, which is expected."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    over.set()
    server.shutdown()
    thread.join()
    server.server_close()


def api_at(address: str, connection: Connection) -> PingOneApi:
    return PingOneApi(base_url=address, connection_id=connection.pk, tokens=Given(), transaction_id=uuid4())


@pytest.mark.parametrize("trickles", [False, True], ids=["hangs", "trickles"])
def test_read_ends_at_the_deadline_of_the_page(acme: Organization, trickles: bool) -> None:
    started = time.monotonic()
    with dawdling(trickles=trickles) as address, deadline.within(0.2), pytest.raises(OutOfTime) as caught:
        api_at(address, acme.connection).get("/users")

    assert 0.2 <= time.monotonic() - started < LONG
    assert caught.value.outcome_known
    assert caught.value.trace.call == "GET /users"
    assert "within the time limit" in str(caught.value.cause)


def test_deadline_is_shared_by_all_calls_of_a_page(acme: Organization) -> None:
    started = time.monotonic()
    with dawdling(trickles=False) as address, deadline.within(0.2):
        api = api_at(address, acme.connection)
        for _ in range(5):
            with pytest.raises(OutOfTime):
                api.get("/users")

    assert time.monotonic() - started < LONG


def test_write_is_cut_off_by_its_own_timeout_and_not_by_the_page(
    acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def short(*_: object) -> float:
        seen.append(deadline.left())
        return 0.3

    monkeypatch.setattr("pingone_integration.calls.transport._Waits.get", short)
    with dawdling(trickles=False) as address, deadline.within(0.1), pytest.raises(Unavailable) as caught:
        api_at(address, acme.connection).put("/users/x", {})

    assert set(seen) == {None}
    assert not caught.value.outcome_known
    assert not isinstance(caught.value, OutOfTime)


def test_write_does_not_begin_after_the_deadline(acme: Organization) -> None:
    with deadline.within(0), pytest.raises(OutOfTime) as caught:
        api_at("http://127.0.0.1:9", acme.connection).put("/users/x", {})

    assert caught.value.outcome_known


def test_command_has_no_deadline() -> None:
    assert deadline.left() is None
    assert deadline.at_most(8) == 8
    assert deadline.allows(60)


def test_nested_deadline_never_extends_the_outer_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(monotonic=lambda: 100.0)
    monkeypatch.setattr(deadline, "time", clock)

    with deadline.within(10):
        with deadline.within(60):
            assert deadline.left() == 10
        with deadline.within(3):
            assert deadline.left() == 3
        with deadline.at_least(2):
            assert deadline.left() == 10
        clock.monotonic = lambda: 109.5
        with deadline.at_least(2):
            assert deadline.left() == 2
        with deadline.lifted():
            assert deadline.left() is None
        assert deadline.left() == 0.5
    assert deadline.left() is None


def test_wait_for_another_refresh_ends_at_the_deadline(acme: Organization) -> None:
    now = timezone.now()
    Connection.objects.filter(pk=acme.connection.pk).update(
        access_token_expires_at=now, lease_owner=uuid4(), lease_until=now + tokens.LEASE
    )
    started = time.monotonic()

    with deadline.within(0.1), pytest.raises(BeingRenewed):
        StoredTokens(acme.connection.pk).current()

    assert time.monotonic() - started < LONG


def test_refresh_is_left_to_the_next_page_after_the_deadline(acme: Organization) -> None:
    expired = {"access_token_expires_at": timezone.now()}
    Connection.objects.filter(pk=acme.connection.pk).update(**expired)

    with deadline.within(0), pytest.raises(OutOfTime):
        StoredTokens(acme.connection.pk).current()

    acme.connection.refresh_from_db()
    assert acme.connection.state == Connection.State.CONNECTED
    assert acme.connection.lease_owner is None
    assert acme.connection.lease_until is not None
    assert acme.connection.lease_until <= timezone.now()


def test_hanging_sign_on_service_ends_at_the_deadline(acme: Organization, settings: Any) -> None:
    started = time.monotonic()
    with dawdling(trickles=False) as address, deadline.within(0.2):
        settings.PINGONE_CUSTOM_HOSTS = {address: address}
        acme.connection.auth_url = address
        with pytest.raises(OutOfTime):
            authorization.begin(acme.connection, redirect_uri="https://console.test/", bound_to="a session")

    assert time.monotonic() - started < LONG
