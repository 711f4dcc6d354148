"""Real workers, killed with SIGKILL while jobs run: no row twice, counted on the way to the sandbox, and none lost."""

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from random import Random
from threading import Condition, Event
from typing import Any

import httpx
import pytest
from django.db.models.functions import Now
from django.utils import timezone

from console.access import enter_org
from console.actions.catalogue import BY_KEY
from console.audit.entries import Circumstances
from console.jobs import control, drafts, runner
from console.jobs.listed import KeyKind, ListedRow
from console.models import AuditEntry, Job, JobRow, JobWork, Operator
from tests.support.presses import Person, new_group, new_name, new_person, org_admin_at
from tests.support.relay import Relay
from tests.support.sandbox_server import Sandbox
from tests.support.work_forks import ended, forking

pytestmark = pytest.mark.database

KILLS, ROWS = 10, 6


@pytest.fixture
def org_admin(transactional_db: None, sandbox: Sandbox, relay: Relay, settings: Any) -> Operator:
    settings.PINGONE_CUSTOM_HOSTS = {sandbox.url: relay.url}
    return org_admin_at(sandbox)


@pytest.fixture
def start_worker(org_admin: Operator, sandbox: Sandbox, relay: Relay) -> Iterator[Callable[[], int]]:
    with forking(PINGONE_CUSTOM_HOSTS=f"{sandbox.url}={relay.url}") as start:
        yield start


class Executioner:
    """Kills the worker at a call to PingOne: before the sandbox gets it, or before the worker gets the answer."""

    def __init__(self, relay: Relay) -> None:
        self.calls_left, self.process = 0, 0
        self.killed, self.quiet = Event(), Condition()
        self.under_way = 0
        self.kills_before = True
        relay.before_each, relay.after_each = self.before, self.after

    def before(self) -> None:
        with self.quiet:
            self.under_way += 1
            if self.kills_before:
                self._count()

    def after(self) -> None:
        with self.quiet:
            if not self.kills_before:
                self._count()
            self.under_way -= 1
            self.quiet.notify_all()

    def _count(self) -> None:
        self.calls_left -= 1
        if self.calls_left == 0:
            os.kill(self.process, signal.SIGKILL)
            self.killed.set()

    def kill_one(self, start_worker: Callable[[], int], *, calls: int, before: bool) -> None:
        self.killed.clear()
        with self.quiet:
            self.process = start_worker()
            self.calls_left, self.kills_before = calls, before
        assert self.killed.wait(timeout=30)
        assert ended(self.process, within_s=30)
        with self.quiet:
            assert self.quiet.wait_for(lambda: self.under_way == 0, timeout=30)


def rows_of(people: list[Person]) -> list[ListedRow]:
    return [ListedRow(number=number, key=one.username) for number, one in enumerate(people, start=1)]


def previewed(operator: Operator, action: str, rows: list[ListedRow], **inputs: str) -> Job:
    access = enter_org(operator, "acme")
    job = drafts.create(access, BY_KEY[action], rows, key_kind=KeyKind.USERNAME, source=Job.Source.FILE, inputs=inputs)
    control.start_dry_run(access, job)
    runner.run_due()
    job.refresh_from_db()
    assert set(job.rows.values_list("verdict", flat=True)) <= {"create", "change"}
    return job


def when_all_finished() -> None:
    latest = time.monotonic() + 60
    while Job.objects.exclude(state=Job.State.FINISHED).exists():
        assert time.monotonic() < latest, list(Job.objects.values_list("state", "pause", "pause_detail"))
        Event().wait(0.1)


def written(relay: Relay) -> Counter[tuple[str, str]]:
    """Return the writes that took effect, by path below the environment; new users by their name."""
    counted: Counter[tuple[str, str]] = Counter()
    for (method, path, body), count in relay.writes.items():
        name = json.loads(body)["username"] if path.endswith("/users") else path.split("/", 4)[-1]
        counted[method, name] += count
    return counted


def test_ten_killed_workers_lose_no_row_and_do_none_twice(
    org_admin: Operator,
    start_worker: Callable[[], int],
    sandbox: Sandbox,
    relay: Relay,
    administrator: httpx.Client,
) -> None:
    leavers, members = ([new_person(sandbox, administrator) for _ in range(ROWS)] for _ in range(2))
    group = new_group(administrator, new_name())
    population = str(leavers[0].ask()["population"]["id"])
    names = [new_name() for _ in range(ROWS)]
    joiners = [ListedRow(number=one, key="", values={"username": name}) for one, name in enumerate(names, start=1)]
    jobs = [
        previewed(org_admin, "user.deactivate", rows_of(leavers)),
        previewed(org_admin, "group.add", rows_of(members), group_id=group),
        previewed(org_admin, "user.create", joiners, population_id=population),
    ]
    for job in jobs:
        met = Circumstances(reason="Asked", signed_in_at=timezone.now())
        control.start(enter_org(org_admin, "acme"), job, met)
    relay.writes.clear()
    executioner, chance = Executioner(relay), Random(15)  # noqa: S311 - the same calls in every run

    for _ in range(KILLS):
        executioner.kill_one(start_worker, calls=chance.randint(1, 7), before=chance.random() < 0.5)
        JobWork.objects.filter(state="running").update(lease_until=Now() - timedelta(seconds=1))
    last = start_worker()
    when_all_finished()
    os.kill(last, signal.SIGTERM)
    assert ended(last, within_s=30)

    others = JobRow.objects.exclude(state=JobRow.State.DONE)
    assert not list(others.values_list("job__action", "number", "state", "attempt", "detail"))
    assert not AuditEntry.objects.current().filter(outcome__in=("started", "unknown")).exists()
    expected = Counter(
        [("PUT", f"users/{one.id}/enabled") for one in leavers]
        + [("POST", f"users/{one.id}/memberOfGroups") for one in members]
        + [("POST", name) for name in names]
    )
    assert written(relay) == expected
