"""The rate limiter: calls per second, shared by threads and processes. People come first, and a 429 closes it."""

import time
from bisect import bisect
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

import httpx
import pytest
from django.db import connections as databases
from django.utils import timezone

from pingone_integration.calls import rate_limit
from pingone_integration.connection.open_api import open_api
from pingone_integration.errors import RateLimited, Trace
from pingone_integration.models import CallWindow, Connection
from tests.support.answers import ADA, ada, error

PATH = f"/users/{ADA}"


@pytest.fixture
def row(acme, settings):
    """Return a connection that may make 20 calls per second, shared by two processes."""
    settings.WEB_CONCURRENCY = 2
    Connection.objects.filter(pk=acme.connection.pk).update(licensed_calls=58)
    acme.connection.refresh_from_db()
    rate_limit.learn(acme.connection)
    return acme.connection


@dataclass
class Clock:
    now: float = 1_800_000_000.0
    waited: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.waited.append(seconds)


@pytest.fixture
def clock(monkeypatch):
    """Freeze the time; only sleeping moves it on."""

    clock = Clock()
    monkeypatch.setattr(time, "time", lambda: clock.now)
    monkeypatch.setattr(time, "monotonic", lambda: clock.now)
    monkeypatch.setattr(time, "sleep", clock.sleep)
    return clock


def take(row, times):
    for _ in range(times):
        rate_limit.wait_for_permit(row.pk, Trace())


def as_another_process(monkeypatch):
    """Forget this process's knowledge. The database stays shared."""
    monkeypatch.setattr(rate_limit, "_known", {})


def test_everyday_calls_cost_no_query(row, clock, django_assert_num_queries):
    with django_assert_num_queries(0):
        take(row, 4)


def test_calls_above_the_own_share_use_one_window_for_all_processes(row, clock, monkeypatch):
    take(row, 4 + 12)
    as_another_process(monkeypatch)
    rate_limit.learn(row)

    take(row, 4)

    assert clock.waited == []
    assert CallWindow.objects.get(connection=row).taken == 12
    take(row, 1)
    assert len(clock.waited) == 1
    assert 0 < clock.waited[0] <= 1.1


def test_threads_never_exceed_the_permits_together(transactional_db, row, clock, monkeypatch):
    monkeypatch.setattr(rate_limit, "PERSON_WAITS_S", 0.0)

    def ask(_):
        try:
            rate_limit.wait_for_permit(row.pk, Trace())
        except RateLimited:
            return False
        finally:
            databases.close_all()
        return True

    with ThreadPoolExecutor(20) as threads:
        permitted = sum(threads.map(ask, range(60)))

    assert permitted == 4 + 12


def test_person_with_a_long_wait_is_refused_at_once(row, clock):
    Connection.objects.filter(pk=row.pk).update(calls_closed_until=timezone.now() + timedelta(seconds=20))
    row.refresh_from_db()
    rate_limit.learn(row)

    with pytest.raises(RateLimited) as raised:
        take(row, 1)

    assert raised.value.retry_after_s in {20, 21}
    assert clock.waited == []


def test_background_work_leaves_half_of_the_calls_to_people_and_waits_for_its_turn(row, clock):
    second = int(clock.now)
    with rate_limit.in_background():
        take(row, 10)
        assert int(clock.now) == second
        take(row, 1)
        assert int(clock.now) == second + 1
        take(row, 9)
    clock.waited.clear()
    take(row, 4 + 2)
    assert clock.waited == []


def test_background_work_may_take_all_but_a_reserve_while_nobody_works(row, clock):
    percent, second = rate_limit.ALL_BUT_A_RESERVE, int(clock.now)

    with rate_limit.in_background(lambda: percent):
        take(row, 18)
        assert int(clock.now) == second
        take(row, 1)
        assert int(clock.now) == second + 1

        percent = rate_limit.HALF
        clock.now = second + 5.0
        take(row, 10)
        assert int(clock.now) == second + 5
        take(row, 1)
        assert int(clock.now) == second + 6


@pytest.mark.parametrize("processes", [1, 2])
def test_background_work_exceeds_the_limit_in_no_second_wherever_that_begins(row, clock, monkeypatch, processes):
    """Also when it was held up, and catches up."""
    chance, calls = Random(15), []  # noqa: S311 - the same delays in every run
    known = [{row.pk: rate_limit._known[row.pk]}, {}]
    with rate_limit.in_background(lambda: rate_limit.ALL_BUT_A_RESERVE):
        for number in range(300):
            monkeypatch.setattr(rate_limit, "_known", known[number % processes])
            rate_limit.learn(row)
            clock.now += 0.7 if number % 97 == 96 else chance.random() * 0.002
            take(row, 1)
            calls.append(clock.now)

    assert max(bisect(calls, at + 0.999) - place for place, at in enumerate(calls)) <= 20
    assert calls[95] - calls[0] <= 96 / (18 * 0.98)


def test_background_call_whose_turn_does_not_come_is_not_sent(row, monkeypatch):
    monkeypatch.setattr(rate_limit, "BACKGROUND_WAITS_S", 0.01)
    others = rate_limit._known[row.pk].next_in_background

    with others, rate_limit.in_background(), pytest.raises(RateLimited):
        take(row, 1)
    with rate_limit.in_background():
        take(row, 1)


def test_recovery_gets_a_tenth_and_leaves_the_rest_to_people(row, clock):
    with rate_limit.in_recovery():
        take(row, 2)
        assert clock.waited == []
        rate_limit.wait_for_permit(row.pk, Trace())
    assert len(clock.waited) == 1

    clock.waited.clear()
    take(row, 4 + 11)  # their own share, and the shared window without the one call of recovery
    assert clock.waited == []


def test_recovery_gets_one_call_a_second_while_people_take_all_the_others(row, clock, monkeypatch):
    take(row, 4 + 12)

    with rate_limit.in_recovery():
        take(row, 1)
        assert clock.waited == []
        monkeypatch.setattr(rate_limit, "RECOVERY_WAITS_S", 0.0)
        with pytest.raises(RateLimited):
            take(row, 1)


def test_429_closes_the_connection_for_all_processes_until_retry_after(row, pingone, monkeypatch):
    wire = pingone.get(PATH).respond(429, json=error("REQUEST_LIMITED"), headers={"Retry-After": "30"})
    with pytest.raises(RateLimited):
        open_api(row).get(PATH)
    as_another_process(monkeypatch)

    with pytest.raises(RateLimited) as raised:
        open_api(row).get(PATH)

    assert wire.call_count == 1
    assert raised.value.retry_after_s in range(25, 31)
    room = rate_limit.headroom(Connection.objects.get(pk=row.pk))
    assert room.closed_until
    assert room.left == 0


def test_short_retry_after_is_waited_for(row, pingone, monkeypatch):
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        rate_limit.learn(row)  # the connection is open again

    monkeypatch.setattr(time, "sleep", sleep)
    limited = httpx.Response(429, json=error("REQUEST_LIMITED"), headers={"Retry-After": "1"})
    wire = pingone.get(PATH).mock(side_effect=[limited, httpx.Response(200, json=ada())])

    assert open_api(row).get(PATH)["id"] == str(ADA)

    assert wire.call_count == 2
    assert slept == [1]


@pytest.mark.parametrize(("licensed", "limit"), [(None, 70), (100, 35), (1, 2)])
def test_limit_is_the_share_of_the_license_for_one_address(acme, licensed, limit):
    acme.connection.licensed_calls = licensed

    assert rate_limit.headroom(acme.connection) == rate_limit.Headroom(limit=limit, left=limit, closed_until=None)


def test_headroom_is_the_rest_of_the_second(row, clock):
    take(row, 6)

    assert rate_limit.headroom(row).left == 14
    clock.now += 1
    assert rate_limit.headroom(row).left == 20
