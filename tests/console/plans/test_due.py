"""A step that is due is done first, by one worker, however many rows of jobs and runs of jobs wait."""

from contextlib import contextmanager
from threading import Event
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from console.access import enter_org
from console.actions.catalogue import BY_KEY
from console.jobs import control, drafts, one_row, runner
from console.jobs.listed import KeyKind
from console.jobs.one_row import Ended
from console.jobs.plan_action import offered_for_many
from console.models import Job, JobRow, JobWork, PlanRun, ScheduledWork
from console.plans import engine
from console.plans.ends import date_choice
from console.work import schedule, tasks, worker
from tests.support.many_people import rows_for, started, worked
from tests.support.plan_people import PERSON, again, start, time_passes

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

EACH = 50_000  # rows of each job
JOBS = worker.QUEUES.count("jobs")  # so many that no thread of jobs is free
WAITS_S = 60.0  # for threads that do it at once


def running_job(operator, count):
    """Return a job that runs, with so many rows."""
    access = enter_org(operator, "acme")
    rows = rows_for([1])
    job = drafts.create(access, BY_KEY["user.deactivate"], rows, key_kind=KeyKind.USERNAME, source=Job.Source.FILE)
    job.rows.update(verdict=JobRow.Verdict.CHANGE, user_id=UUID(int=1))
    names = [one.column for one in JobRow._meta.local_fields if one.name not in {"id", "number"}]
    columns = ", ".join(f'"{name}"' for name in names)
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH RECURSIVE counted(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM counted WHERE n < %s) "  # noqa: S608
            f"INSERT INTO console_jobrow (number, {columns}) "
            f"SELECT n, {columns} FROM console_jobrow, counted WHERE job_id = %s",
            [count, job.pk.hex if connection.vendor == "sqlite" else job.pk],
        )
    Job.objects.filter(pk=job.pk).update(state=Job.State.RUNNING)
    JobWork.want(job)
    return job


def due_run(operator, tomorrow):
    run = start(operator, when=tomorrow)
    time_passes(run, days=2)
    return run


@contextmanager
def ending(rows_under_way):
    """Let the worker stop at the end, without the rows that still wait."""
    try:
        yield
    finally:
        tasks.stopping.requested = True
        rows_under_way.set()


@pytest.fixture
def _stops():
    yield
    tasks.stopping.requested = False


@pytest.mark.usefixtures("_stops")
def test_one_worker_does_a_due_step_while_100_000_rows_wait(acme, org_admin, environment, tomorrow, monkeypatch):
    jobs = [running_job(org_admin, EACH) for _number in range(JOBS)]
    under_way, may_end, is_done = {job.pk: Event() for job in jobs}, Event(), Event()

    def takes_long(access, job, row):
        under_way[job.pk].set()
        may_end.wait(WAITS_S)
        return Ended(state=JobRow.State.DONE)

    monkeypatch.setattr(one_row, "run", takes_long)
    monkeypatch.setattr(worker, "TICK_S", 0.02)
    monkeypatch.setattr(worker, "BELIEVED_WAKING_S", 0.0)
    monkeypatch.setattr(schedule, "SCHEDULE", {})
    ScheduledWork.objects.all().delete()

    def deactivates(request):
        if request.url.path.endswith(f"/users/{PERSON}/enabled"):
            is_done.set()

    environment.after = deactivates
    clock = worker.Clock()
    with worker._queue_threads(), ending(may_end):
        for _job in jobs:
            clock.tick()
        assert all(one.wait(WAITS_S) for one in under_way.values())
        run = due_run(org_admin, tomorrow)

        clock.tick()

        assert is_done.wait(WAITS_S)
        assert JobRow.objects.filter(state=JobRow.State.NOT_REACHED).count() > JOBS * EACH - 100
        assert not JobRow.objects.filter(state=JobRow.State.DONE).exists()
    assert again(run).steps.get(number=1).state == "done"


def test_claim_of_a_due_step_does_not_look_at_rows(acme, org_admin, environment, tomorrow):
    running_job(org_admin, 10)
    run = due_run(org_admin, tomorrow)

    with CaptureQueriesContext(connection) as captured:
        engine.run_due()

    assert again(run).state == PlanRun.State.FINISHED
    assert [one["sql"] for one in captured if "console_jobrow" in one["sql"]] == []


def test_run_for_one_person_comes_before_those_of_a_job(acme, org_admin, environment, tomorrow, monkeypatch):
    """A job may start 100,000 runs for the same moment. Those are due for longer here."""
    monkeypatch.setattr(runner, "AT_ONCE", 1)
    environment.add(2, 3)
    access, rows = enter_org(org_admin, "acme"), rows_for([2, 3])
    offboard = next(one for one in offered_for_many(access) if one.definition.id == "offboard")
    asked = {"choices": {}, "when": date_choice(tomorrow), "replaces": False}
    job = drafts.create(access, offboard, rows, key_kind=KeyKind.USERNAME, source=Job.Source.FILE, inputs=asked)
    control.start_dry_run(access, job)
    started(org_admin, worked(job))
    for one in PlanRun.objects.filter(job=job):
        time_passes(one, days=3)
    due_run(org_admin, tomorrow)

    engine.run_due()

    assert [one.rpartition("/users/")[2] for one in environment.writes if one.endswith("/enabled")] == [
        f"{PERSON}/enabled",
        *(f"{environment.named(f'user{number}')['id']}/enabled" for number in (2, 3)),
    ]
