"""The concurrency limit: an organization with a slow PingOne holds only its share of this process's threads."""

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
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
from pingone_integration.calls import breaker, concurrency, deadline
from pingone_integration.calls.api import PingOneApi
from pingone_integration.calls.parallel import at_once
from pingone_integration.checks import BY_KEY, State, Subject
from pingone_integration.connection import authorization
from pingone_integration.connection.open_api import open_api
from pingone_integration.errors import Busy, Unavailable

THREADS = 16
ALONE = 15
ALL_BUT_RESERVE = 12
RESERVE = 4


@pytest.fixture(autouse=True)
def _threads(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Start with nobody at work. Nobody waits in line, except in a test that asks for it."""
    settings.WEB_THREADS = THREADS
    monkeypatch.setattr(concurrency, "LONGEST_WAIT_S", 0.0)
    concurrency._worked.clear()


@pytest.fixture
def in_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(concurrency, "LONGEST_WAIT_S", 30.0)


@pytest.fixture
def globex() -> UUID:
    """Return another organization's connection, which has worked just now."""
    connection_id = uuid4()
    with concurrency.slot(connection_id):
        return connection_id


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Replace the clock that measures how long slots are held."""
    hands = SimpleNamespace(monotonic=lambda: 100.0)
    monkeypatch.setattr(concurrency, "time", hands)
    return hands


class Occupy:
    """Takes slots, as other threads do, until none is left or `most` are taken, and returns their number."""

    def __init__(self) -> None:
        self._leaving = ExitStack()

    def __call__(self, connection_id: UUID, most: int = 10 * THREADS) -> int:
        for number in range(most):
            another = Context()  # as in another request
            held = concurrency.slot(connection_id)
            try:
                with pytest.MonkeyPatch.context() as nobody_waits:
                    nobody_waits.setattr(concurrency, "LONGEST_WAIT_S", 0.0)
                    another.run(held.__enter__)
            except Busy:
                return number
            self._leaving.callback(another.run, held.__exit__, None, None, None)
        return most

    def release(self) -> None:
        self._leaving.close()


@pytest.fixture
def occupy() -> Iterator[Occupy]:
    taking = Occupy()
    yield taking
    taking.release()


def test_organization_that_works_alone_gets_nearly_all_threads(occupy: Occupy) -> None:
    assert occupy(uuid4()) == ALONE


def test_rush_leaves_a_quarter_of_the_threads_to_others(occupy: Occupy, globex: UUID) -> None:
    assert occupy(uuid4()) == ALL_BUT_RESERVE
    assert occupy(globex) == ALL_BUT_RESERVE


def test_others_count_for_a_minute_after_their_last_conversation(occupy: Occupy, clock: SimpleNamespace) -> None:
    acme = uuid4()
    occupy(uuid4(), 0)
    with concurrency.slot(uuid4()):
        clock.monotonic = lambda: 500.0  # a long conversation
        assert occupy(acme) == ALL_BUT_RESERVE
    clock.monotonic = lambda: 559.0
    assert occupy(acme) <= 0
    clock.monotonic = lambda: 561.0
    assert occupy(acme) == ALONE - ALL_BUT_RESERVE


def test_slow_pingone_gets_a_quarter_of_the_threads(occupy: Occupy, clock: SimpleNamespace) -> None:
    acme, globex = uuid4(), uuid4()
    occupy(acme, 1)
    occupy(globex, 1)
    clock.monotonic = lambda: 102.1

    assert occupy(acme) == RESERVE - 1


def test_failing_pingone_gets_a_quarter_until_it_answers(occupy: Occupy, acme: Organization, globex: UUID) -> None:
    breaker.failed(acme.connection.pk, Unavailable(), tried=False)
    assert occupy(acme.connection.pk) == RESERVE

    breaker.answered(acme.connection.pk, tried=False)
    assert occupy(acme.connection.pk) == ALL_BUT_RESERVE - RESERVE


class InLine:
    """Threads of Acme that ask for a slot, one after the other. `got` has their numbers in the order of their slots."""

    def __init__(self, connection_id: UUID, threads: ThreadPoolExecutor) -> None:
        self.connection_id = connection_id
        self.threads = threads
        self.got: list[int] = []

    def ask(self, number: int) -> "Future[bool]":
        """Return once the thread is in line, has its slot, or was refused."""
        before = self._in_line()
        asked = self.threads.submit(self._take, number)
        give_up_at = time.monotonic() + 30
        while not asked.done() and self._in_line() == before:
            assert time.monotonic() < give_up_at, "the thread neither stands in line nor is refused"
        return asked

    def _in_line(self) -> int:
        with concurrency._changed:
            line = concurrency._lines.get(self.connection_id)
            return len(line.waiting) if line else 0

    def _take(self, number: int) -> bool:
        try:
            with concurrency.slot(self.connection_id):
                self.got.append(number)
                return True
        except Busy:
            return False


@pytest.fixture
def line(in_line: None) -> Iterator[InLine]:
    with ThreadPoolExecutor(2 * THREADS) as threads:
        yield InLine(uuid4(), threads)


def test_line_is_served_first_come_first_served(line: InLine, occupy: Occupy, settings: Any, globex: UUID) -> None:
    settings.WEB_THREADS = 32  # 24 slots; 4 more threads may wait in line, and 4 are left to others
    assert occupy(line.connection_id) == 24
    asked = [line.ask(number) for number in range(6)]

    assert [one.result(timeout=30) for one in asked[4:]] == [False, False]
    occupy.release()
    assert [one.result(timeout=30) for one in asked[:4]] == [True] * 4
    assert line.got == [0, 1, 2, 3]
    assert concurrency._lines == {}


def test_line_gives_way_when_another_organization_comes(line: InLine, occupy: Occupy) -> None:
    occupy(line.connection_id)
    asked = line.ask(1)

    with concurrency.slot(uuid4()):
        assert asked.result(timeout=30) is False


def test_nobody_waits_in_line_for_a_pingone_that_hangs(
    line: InLine, occupy: Occupy, monkeypatch: pytest.MonkeyPatch
) -> None:
    occupy(line.connection_id)
    asked = line.ask(1)
    monkeypatch.setattr(concurrency, "HANGING_S", 0.0)  # as if the first slot were old

    assert line.ask(2).result(timeout=30) is False
    assert asked.result(timeout=30) is False, "the one before must learn it too"


def test_nobody_waits_in_line_for_a_pingone_that_fails(line: InLine, occupy: Occupy, acme: Organization) -> None:
    line.connection_id = acme.connection.pk
    occupy(line.connection_id)
    breaker.failed(acme.connection.pk, Unavailable(), tried=False)

    assert line.ask(1).result(timeout=30) is False


def test_wait_in_line_ends_with_the_deadline_of_the_page(in_line: None, acme: Organization, occupy: Occupy) -> None:
    occupy(acme.connection.pk)

    with deadline.within(0.01), pytest.raises(Busy), concurrency.slot(acme.connection.pk):
        pass
    occupy.release()
    assert concurrency._lines == {}


def test_call_without_a_slot_fails_at_once_and_sends_nothing(
    api: PingOneApi, pingone: respx.MockRouter, occupy: Occupy
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

    assert concurrency._lines == {}


def test_parallel_reads_of_a_page_share_a_slot(
    transactional_db: None, acme: Organization, pingone: respx.MockRouter, occupy: Occupy
) -> None:
    api = open_api(acme.connection)
    pingone.get("/users").respond(json={})
    occupy(api.connection_id, ALONE - 1)

    assert at_once(api, *[lambda api: api.get("/users")] * 5) == [{}] * 5


def test_parallel_reads_need_a_slot(acme: Organization, pingone: respx.MockRouter, occupy: Occupy) -> None:
    occupy(acme.connection.pk)

    with pytest.raises(Busy):
        at_once(open_api(acme.connection), lambda api: api.get("/users"))


def test_slot_is_reentrant(occupy: Occupy) -> None:
    acme = uuid4()
    occupy(acme, ALONE - 1)

    with concurrency.slot(acme), concurrency.slot(acme):
        assert copy_context().run(occupy, acme) == 0

    assert occupy(acme) == 1


def test_connecting_and_checking_take_a_slot(acme: Organization, occupy: Occupy) -> None:
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
        assert Counter(threads.map(hold, range(40))) == {True: ALONE, False: 40 - ALONE}
    assert concurrency._lines == {}
