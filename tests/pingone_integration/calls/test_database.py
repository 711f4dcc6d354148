"""Threads that wait for PingOne have given their database connection back, so that a small pool is enough for many."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context
from datetime import timedelta
from threading import Barrier
from typing import Any
from uuid import uuid4

import httpx
import pytest
import respx
from django.db import connection as database
from django.db import connections, transaction
from django.utils import timezone

from pingone_integration import errors
from pingone_integration.calls import concurrency, deadline, rate_limit
from pingone_integration.calls.api import PingOneApi
from pingone_integration.calls.parallel import at_once
from pingone_integration.connection import tokens
from pingone_integration.errors import Trace
from pingone_integration.models import Connection

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]

POOL, THREADS = 2, 6


@pytest.fixture
def small_pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if database.vendor != "postgresql":
        pytest.skip("SQLite has no pool")
    pool = {"min_size": 0, "max_size": POOL, "timeout": 1}
    database.close()
    database.close_pool()  # type: ignore[attr-defined]
    monkeypatch.setitem(database.settings_dict["OPTIONS"], "pool", pool)
    yield
    database.close()
    database.close_pool()  # type: ignore[attr-defined]


def get(api: PingOneApi) -> dict[str, Any]:
    return api.get("/users/1")


def get_two_at_once(api: PingOneApi) -> dict[str, Any]:
    found: dict[str, Any] = at_once(api, get, get)[0]
    return found


@pytest.mark.parametrize(("ask", "calls"), [(get, 1), (get_two_at_once, 2)])
def test_more_threads_wait_for_pingone_than_there_are_connections(
    small_pool: None, api: PingOneApi, pingone: respx.MockRouter, ask: Callable[[PingOneApi], Any], calls: int
) -> None:
    all_wait = Barrier(THREADS * calls)

    def answer(request: httpx.Request) -> httpx.Response:
        all_wait.wait(timeout=10)
        return httpx.Response(200, json={"id": "1"})

    def page(_: int) -> tuple[Any, bool]:
        try:
            return ask(api), Connection.objects.filter(pk=api.connection_id).exists()
        finally:
            connections.close_all()

    pingone.get("/users/1").mock(side_effect=answer)
    database.close()  # this thread's own

    with ThreadPoolExecutor(THREADS) as threads:
        pages = list(threads.map(page, range(THREADS)))

    assert pages == [({"id": "1"}, True)] * THREADS


def for_the_rate_limit(api: PingOneApi, monkeypatch: pytest.MonkeyPatch, wait: Callable[..., None]) -> None:
    monkeypatch.setattr(time, "sleep", wait)
    monkeypatch.setattr(rate_limit, "_from_own_share", lambda _: False)
    monkeypatch.setattr(rate_limit, "_from_shared_window", lambda *_: not Connection.objects.exists())
    rate_limit.wait_for_permit(api.connection_id, Trace())


def for_a_slot(api: PingOneApi, monkeypatch: pytest.MonkeyPatch, wait: Callable[..., None]) -> None:
    monkeypatch.setattr(concurrency, "_most", lambda *_: 1)
    monkeypatch.setattr(concurrency._changed, "wait", wait)
    elsewhere, held = Context(), concurrency.slot(api.connection_id)
    elsewhere.run(held.__enter__)
    try:
        with concurrency.slot(api.connection_id):
            pass
    finally:
        elsewhere.run(held.__exit__, None, None, None)


def for_a_renewal(api: PingOneApi, monkeypatch: pytest.MonkeyPatch, wait: Callable[..., None]) -> None:
    soon = timezone.now() + timedelta(seconds=20)
    Connection.objects.update(access_token_expires_at=timezone.now(), lease_owner=uuid4(), lease_until=soon)
    monkeypatch.setattr(time, "sleep", wait)
    tokens.StoredTokens(api.connection_id).current()


class Waits(Exception):
    pass


@pytest.mark.parametrize("waiting", [for_the_rate_limit, for_a_slot, for_a_renewal])
def test_no_wait_before_a_call_holds_a_connection(
    small_pool: None, api: PingOneApi, monkeypatch: pytest.MonkeyPatch, waiting: Callable[..., None]
) -> None:
    def wait(seconds: float) -> None:
        assert database.connection is None
        raise Waits

    assert Connection.objects.exists()
    assert database.connection is not None
    with monkeypatch.context() as patches, pytest.raises(Waits):
        waiting(api, patches, wait)


def test_call_inside_a_transaction_leaves_it_open(small_pool: None, api: PingOneApi, pingone: respx.MockRouter) -> None:
    pingone.get("/users/1").respond(404, json={"code": "NOT_FOUND"})

    with transaction.atomic():
        Connection.objects.update(calls_paused_s=7)
        with deadline.within(10), pytest.raises(errors.NotFound):
            get(api)
        assert Connection.objects.get().calls_paused_s == 7
        transaction.set_rollback(True)

    assert Connection.objects.get().calls_paused_s == 0
