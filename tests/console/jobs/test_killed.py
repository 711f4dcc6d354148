"""A worker killed at any step of a row, and answers that are lost: nothing twice, nothing lost, no guess."""

from datetime import timedelta

import httpx
import pytest
from django.db.models.functions import Now

from console.audit import entries
from console.jobs import control, one_row, runner
from console.jobs.listed import ListedRow
from console.models import AuditEntry, Job, JobRow, JobWork
from tests.support.answers import STAFF, listing
from tests.support.many_people import ManyPeople, access_of, prepared, rows_for, started, states, worked

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


class Killed(BaseException):
    """As SIGKILL: nothing catches it, and nothing is cleaned up."""


STEPS = {
    "before the row is claimed": (runner, "_claim", "before"),
    "after the row is claimed": (runner, "_claim", "after"),
    "before the entry is written": (entries, "start", "before"),
    "after the entry is written": (entries, "start", "after"),
    "before the write": (None, "before", ""),
    "after the write": (None, "after", ""),
    "before the entry is closed": (entries, "close", "before"),
    "after the entry is closed": (entries, "close", "after"),
    "before the row is stored": (runner, "_store", "before"),
    "after the row is stored": (runner, "_store", "after"),
}


def kill_at(step, environment, monkeypatch, *, call):
    """Kill the worker at the n-th time that it comes to this step."""
    module, name, when = STEPS[step]
    count = 0

    def is_now():
        nonlocal count
        count += 1
        return count == call

    if module is None:

        def hook(_request):
            if is_now():
                raise Killed

        setattr(environment, name, hook)
        return
    original = getattr(module, name)

    def killed(*args, **options):
        now = is_now()
        if now and when == "before":
            raise Killed
        result = original(*args, **options)
        if now:
            raise Killed
        return result

    monkeypatch.setattr(module, name, killed)


def lease_runs_out():
    JobWork.objects.filter(state="running").update(lease_until=Now() - timedelta(seconds=1))


@pytest.mark.parametrize("action", ["user.deactivate", "user.create"])
@pytest.mark.parametrize("step", STEPS)
def test_row_of_a_killed_worker_is_done_once(acme, org_admin, environment, monkeypatch, action, step):
    environment.add(1, 2, 3)
    if action == "user.create":
        rows = [ListedRow(number=one, key="", values={"username": f"new{one}"}) for one in (1, 2, 3)]
        job = prepared(org_admin, action, rows, population_id=str(STAFF))
    else:
        job = prepared(org_admin, action, rows_for([1, 2, 3]))
    started(org_admin, job, runs=False)
    kill_at(step, environment, monkeypatch, call=2)
    with pytest.raises(Killed):
        runner.run_due()
    monkeypatch.undo()
    monkeypatch.setattr(one_row, "wait", lambda _seconds: None)
    environment.before = environment.after = lambda _request: None
    lease_runs_out()

    job = worked(job)

    assert job.state == Job.State.FINISHED
    assert states(job) == {1: "done", 2: "done", 3: "done"}
    assert len(environment.writes) == (4 if step == "before the write" else 3)
    assert not AuditEntry.objects.current().filter(outcome__in=("started", "unknown")).exists()
    if action == "user.create":
        assert sorted(one["username"] for one in environment.users.values())[:3] == ["new1", "new2", "new3"]


def test_workers_killed_again_and_again_do_not_pause_a_job(acme, org_admin, environment, monkeypatch):
    """As if PingOne did not answer: nothing of it failed."""
    environment.add(1)
    job = started(org_admin, prepared(org_admin, "user.deactivate", rows_for([1])), runs=False)
    for _ in range(4):
        kill_at("before the write", environment, monkeypatch, call=1)
        with pytest.raises(Killed):
            runner.run_due()
        lease_runs_out()
    environment.before = lambda _request: None

    job = worked(job)

    assert (job.state, job.pause) == (Job.State.FINISHED, "")
    assert states(job) == {1: "done"}


@pytest.mark.parametrize("happened", [True, False])
def test_lost_answer_is_read_back_before_the_next_row(acme, org_admin, environment, happened):
    environment.add(1, 2)
    job = prepared(org_admin, "user.deactivate", rows_for([1, 2]))

    def lost(request):
        if environment.users[next(iter(environment.users))]["username"] == "user1" and len(environment.writes) == 1:
            raise httpx.ReadTimeout("lost")

    if happened:
        environment.after = lost
    else:
        environment.before = lost

    job = started(org_admin, job)

    assert states(job) == {1: "done", 2: "done"}
    assert len(environment.writes) == (2 if happened else 3)


@pytest.mark.parametrize("happened", [True, False])
def test_creation_with_a_lost_answer_is_looked_up_and_then_tried_again(acme, org_admin, environment, waited, happened):
    job = prepared(
        org_admin,
        "user.create",
        [ListedRow(number=1, key="", values={"username": "anna"})],
        population_id=str(STAFF),
    )

    def lost(_request):
        if len(environment.writes) == 1:
            raise httpx.ReadTimeout("lost")

    if happened:
        environment.after = lost
    else:
        environment.before = lost

    job = started(org_admin, job)

    assert states(job) == {1: "done"}
    assert len(environment.writes) == (1 if happened else 2)
    assert [one["username"] for one in environment.users.values()] == ["anna"]
    assert bool(waited) is not happened


def test_creation_that_the_search_shows_late_is_not_repeated(acme, org_admin, environment, monkeypatch):
    job = prepared(
        org_admin, "user.create", [ListedRow(number=1, key="", values={"username": "anna"})], population_id=str(STAFF)
    )
    found = ManyPeople._found
    late = []

    def lost(_request):
        if len(environment.writes) == 1:
            late.append(True)
            raise httpx.ReadTimeout("lost")
        late.clear()

    environment.after = lost
    monkeypatch.setattr(
        ManyPeople, "_found", lambda self, path: listing("users") if late and path == "/users" else found(self, path)
    )

    job = started(org_admin, job)

    assert states(job) == {1: "done"}
    assert [one["username"] for one in environment.users.values()] == ["anna"]


def test_what_cannot_be_read_back_stays_unknown_and_is_never_repeated(acme, org_admin, environment, monkeypatch):
    environment.add(1, 2)
    job = prepared(org_admin, "user.deactivate", rows_for([1, 2]))

    def lost(request):
        if len(environment.writes) == 1:
            environment.status["users/" + next(iter(map(str, environment.users)))] = 500
            raise httpx.ReadTimeout("lost")

    environment.after = lost

    job = started(org_admin, job)
    environment.status.clear()

    assert states(job) == {1: "unknown", 2: "done"}
    with pytest.raises(control.NotPossibleNow):
        control.retry_failed(access_of(org_admin), job)
    assert len(environment.writes) == 2
    assert JobRow.objects.filter(state="unknown").count() == 1


def test_worker_that_lost_its_lease_runs_no_further_row(acme, org_admin, environment):
    environment.add(1, 2, 3)
    job = prepared(org_admin, "user.deactivate", rows_for([1, 2, 3]))

    def taken_over(_request):
        JobWork.objects.update(lease_owner="00000000-0000-4000-8000-000000000009")

    environment.after = taken_over

    started(org_admin, job)

    assert states(job) == {1: "done", 2: "not reached", 3: "not reached"}
