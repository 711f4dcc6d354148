"""The concurrency limit: an organization with a slow PingOne holds only its share of this process's threads."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from contextvars import Context, copy_context
from threading import Barrier
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
import respx

from console.models import Organization
from pingone_integration import checks
from pingone_integration.calls import breaker, concurrency
from pingone_integration.calls.api import PingOneApi
from pingone_integration.calls.parallel import at_once
from pingone_integration.checks import BY_KEY, State, Subject
from pingone_integration.connection import authorization
from pingone_integration.connection.open_api import open_api
from pingone_integration.errors import Busy, Unavailable

THREADS = 16
ALL_BUT_RESERVE = 12
RESERVE = 4


@pytest.fixture(autouse=True)
def _threads(settings: Any) -> None:
    settings.WEB_THREADS = THREADS


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Replace the clock that measures how long slots are held."""
    hands = SimpleNamespace(monotonic=lambda: 100.0)
    monkeypatch.setattr(concurrency, "time", hands)
    return hands


@pytest.fixture
def occupy() -> Iterator[Callable[..., int]]:
    """Return a function that takes slots, as other threads do, until none is left. It returns their number."""
    with ExitStack() as leaving:

        def hold(connection_id: UUID, most: int = 10 * THREADS) -> int:
            for number in range(most):
                another = Context()  # as in another request
                held = concurrency.slot(connection_id)
                try:
                    another.run(held.__enter__)
                except Busy:
                    return number
                leaving.callback(another.run, held.__exit__, None, None, None)
            return most

        yield hold


def test_rush_leaves_a_quarter_of_the_threads_to_others(occupy: Callable[..., int]) -> None:
    acme, globex = uuid4(), uuid4()

    assert occupy(acme) == ALL_BUT_RESERVE
    assert occupy(globex) == ALL_BUT_RESERVE


def test_slow_pingone_gets_a_quarter_of_the_threads(occupy: Callable[..., int], clock: SimpleNamespace) -> None:
    acme, globex = uuid4(), uuid4()
    occupy(acme, 1)
    clock.monotonic = lambda: 102.1

    assert occupy(acme) == RESERVE - 1
    assert occupy(globex) == ALL_BUT_RESERVE


def test_failing_pingone_gets_a_quarter_until_it_answers(occupy: Callable[..., int], acme: Organization) -> None:
    breaker.failed(acme.connection.pk, Unavailable(), tried=False)
    assert occupy(acme.connection.pk) == RESERVE

    breaker.answered(acme.connection.pk, tried=False)
    assert occupy(acme.connection.pk) == ALL_BUT_RESERVE - RESERVE


def test_call_without_a_slot_fails_at_once_and_sends_nothing(
    api: PingOneApi, pingone: respx.MockRouter, occupy: Callable[..., int]
) -> None:
    occupy(api.connection_id)

    for call in (
        lambda: api.get("/users"),
        lambda: api.post("/users"),
        lambda: api.get_page("/users", "users", dict),
        lambda: api.exchange("GET", "/users", query=(), content=None),
    ):
        with pytest.raises(Busy) as caught:
            call()
        assert caught.value.outcome_known
        assert caught.value.retry_after_s == 2


def test_slot_is_released_after_any_error(api: PingOneApi, pingone: respx.MockRouter) -> None:
    pingone.get("/users").mock(side_effect=[RuntimeError("a mistake of ours")] * 2 * THREADS)
    for _ in range(2 * THREADS):
        with pytest.raises(RuntimeError, match="mistake"):
            api.get("/users")

    assert concurrency._in_use == {}


def test_parallel_reads_of_a_page_share_a_slot(
    transactional_db: None, acme: Organization, pingone: respx.MockRouter, occupy: Callable[..., int]
) -> None:
    api = open_api(acme.connection)
    pingone.get("/users").respond(json={})
    occupy(api.connection_id, ALL_BUT_RESERVE - 1)

    assert at_once(api, *[lambda api: api.get("/users")] * 5) == [{}] * 5


def test_parallel_reads_need_a_slot(acme: Organization, pingone: respx.MockRouter, occupy: Callable[..., int]) -> None:
    occupy(acme.connection.pk)

    with pytest.raises(Busy):
        at_once(open_api(acme.connection), lambda api: api.get("/users"))


def test_slot_is_reentrant(occupy: Callable[..., int]) -> None:
    acme = uuid4()
    occupy(acme, ALL_BUT_RESERVE - 1)

    with concurrency.slot(acme), concurrency.slot(acme):
        assert copy_context().run(occupy, acme) == 0

    assert occupy(acme) == 1


def test_connecting_and_checking_take_a_slot(acme: Organization, occupy: Callable[..., int]) -> None:
    occupy(acme.connection.pk)
    redirect_uri = "https://console.test/connect/callback/"

    with pytest.raises(Busy):
        authorization.begin(acme.connection, redirect_uri=redirect_uri, bound_to="a session")
    result = checks.run(BY_KEY["discovery"], Subject(acme.connection, redirect_uri))
    assert (result.state, result.finding.kind) == (State.CANNOT_TELL, "busy")


def test_slots_are_never_exceeded_by_concurrent_threads() -> None:
    acme, together = uuid4(), Barrier(40)

    def hold(_: int) -> bool:
        together.wait(timeout=30)
        try:
            with concurrency.slot(acme):
                together.wait(timeout=30)
                return True
        except Busy:
            together.wait(timeout=30)
            return False

    with ThreadPoolExecutor(40) as threads:
        assert Counter(threads.map(hold, range(40))) == {True: ALL_BUT_RESERVE, False: 40 - ALL_BUT_RESERVE}
    assert concurrency._in_use == {}
