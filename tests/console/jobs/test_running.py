"""Running a job: each row through `perform`, pausing, resuming, and what is left of a row that was not reached."""

from datetime import timedelta
from io import StringIO
from threading import Barrier
from uuid import UUID

import httpx
import pytest
from allauth.usersessions.models import UserSession
from django.core.management import call_command
from django.utils import timezone

from console.access import Permission
from console.actions.catalogue import BY_KEY
from console.actions.demands import Demand
from console.actions.outcome import Done
from console.audit.entries import Circumstances
from console.jobs import control
from console.jobs.progress import progress
from console.models import AuditEntry, Job, LimitPolicy, Membership, TicketPolicy
from console.perform.user_operation import perform
from console.rights.roles import FRESH_SIGN_IN, REASON, Rights
from console.work.share import percent_for
from pingone_integration.connection import tokens
from pingone_integration.errors import TokenRejected
from tests.support.answers import error
from tests.support.many_people import access_of, entry_of, prepared, row_of, rows_for, started, states, verdicts, worked
from tests.support.rights import give

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


def test_job_runs_each_row_once_and_records_it_with_the_reason_of_its_start(acme, org_admin, environment):
    environment.add(1, 2, 3)
    job = prepared(org_admin, "user.deactivate", rows_for([1, 2, 3]))
    assert verdicts(job) == {1: "change", 2: "change", 3: "change"}
    assert row_of(job, 1).shown["changes"] == {"enabled": [True, False]}

    job = started(org_admin, job)

    assert job.state == Job.State.FINISHED
    assert states(job) == {1: "done", 2: "done", 3: "done"}
    assert [one.rpartition("/")[2] for one in environment.writes] == ["enabled"] * 3
    entry = entry_of(job, 2)
    assert (entry.action, entry.subject_name, entry.outcome) == ("user.deactivate", "user2", "succeeded")
    assert (entry.operator, entry.channel, entry.reason) == (org_admin, "job", "Asked")


def test_first_rows_run_and_the_job_goes_on_when_resumed(acme, org_admin, environment):
    environment.add(*range(1, 6))
    job = prepared(org_admin, "user.deactivate", rows_for(range(1, 6)))

    job = started(org_admin, job, first=2)

    assert (job.state, job.pause) == (Job.State.PAUSED, Job.Pause.FIRST_ROWS)
    assert list(states(job).values()).count("done") == 2
    control.resume(access_of(org_admin), job, first=1)
    job = worked(job)
    assert list(states(job).values()).count("done") == 3
    control.resume(access_of(org_admin), job)
    assert worked(job).state == Job.State.FINISHED
    assert len(environment.writes) == 5


def test_user_who_changed_since_the_preview_is_stopped(acme, org_admin, environment):
    environment.add(1, 2, 3, 4)
    job = prepared(org_admin, "user.update", rows_for([1, 2, 3, 4], title="Lead"))
    environment.named("user1")["title"] = "Boss"
    environment.named("user2")["enabled"] = False
    environment.named("user3")["population"] = {"id": str(UUID(int=9))}
    environment.named("user4")["updatedAt"] = "2026-11-27T00:00:00Z"  # says nothing about what was shown
    environment.named("user4")["nickname"] = "Kit"

    job = started(org_admin, job)

    assert states(job) == {1: "conflict", 2: "conflict", 3: "conflict", 4: "done"}
    assert "changed since the preview" in row_of(job, 1).detail
    assert len(environment.writes) == 1


def test_protection_since_the_preview_is_found_at_the_row(acme, org_admin, environment):
    environment.add(1, 2)
    job = prepared(org_admin, "user.deactivate", rows_for([1, 2]))
    environment.roles.add(UUID(environment.named("user1")["id"]))

    job = started(org_admin, job)

    assert states(job) == {1: "refused", 2: "done"}


CUT = 0  # instead of a status: the connection breaks
PAUSES: dict[str, tuple[list[int], str, list[str]]] = {
    # answers to the writes in a row, why it pauses, and the states of the rows
    "the same 403 three times": ([403] * 9, "forbidden", ["failed"] * 3 + ["not reached"] * 6),
    "a 403 now and then": ([403, 403, 200, 403, 403, 200, 403, 403, 200], "", (["failed"] * 2 + ["done"]) * 3),
    "the row's own fault": ([404, 200, 404, 200, 404, 200, 404, 200, 404], "", ["failed", "done"] * 4 + ["failed"]),
    "one kind four times": ([404] * 9, "failures", ["failed"] * 4 + ["not reached"] * 5),
    "no connection": ([CUT] * 9, "unreachable", ["not reached"] * 9),
    "no connection once": ([CUT] + [200] * 9, "", ["done"] * 9),
    "the token": ([401] * 9, "connection", ["not reached"] * 9),
}


def refuse_to_renew(_tokens, _rejected):
    raise TokenRejected


@pytest.mark.parametrize("case", PAUSES)
def test_job_pauses_by_itself_and_leaves_the_other_rows_untouched(acme, org_admin, environment, monkeypatch, case):
    answers, why, expected = PAUSES[case]
    monkeypatch.setattr("console.jobs.trouble.MOST_ALIKE", 4)
    environment.add(*range(1, 10))
    job = prepared(org_admin, "user.deactivate", rows_for(range(1, 10)))
    left = list(answers)

    def answer(_request):
        found = left.pop(0) if left else 200
        if found == CUT:
            raise httpx.ConnectError("gone")
        if found == 200:
            return None
        code = {401: "INVALID_TOKEN", 403: "ACCESS_FAILED", 404: "NOT_FOUND"}[found]
        return httpx.Response(found, json=error(code))

    environment.before = answer
    if case == "the token":
        monkeypatch.setattr(tokens.StoredTokens, "renewed", refuse_to_renew)

    job = started(org_admin, job)

    assert (job.pause, list(states(job).values())) == (why, expected)
    assert job.state == (Job.State.PAUSED if why else Job.State.FINISHED)
    if why:
        environment.before = lambda _request: None
        monkeypatch.undo()
        control.resume(access_of(org_admin), job)
        job = worked(job)
        assert job.state == Job.State.FINISHED
        assert set(states(job).values()) <= {"done", "failed"}
        if "failed" in states(job).values():
            control.retry_failed(access_of(org_admin), job)
            job = worked(job)
        assert set(states(job).values()) == {"done"}
        assert all(one["enabled"] is False for one in environment.users.values())


def test_right_that_is_taken_away_in_the_middle_pauses_the_job(acme, org_admin, environment):
    environment.add(1, 2, 3)
    job = prepared(org_admin, "user.deactivate", rows_for([1, 2, 3]))

    def demote(_request):
        Membership.objects.filter(operator=org_admin).update(role="auditor")

    environment.before = demote

    job = started(org_admin, job)

    assert (job.state, job.pause) == (Job.State.PAUSED, Job.Pause.ACCESS)
    assert states(job) == {1: "done", 2: "not reached", 3: "not reached"}


def test_rows_of_a_day_are_limited(acme, org_admin, environment):
    environment.add(*range(1, 6))
    LimitPolicy.objects.create(organization=acme, limit="job-day.org_admin", most=3)
    job = prepared(org_admin, "user.deactivate", rows_for(range(1, 6)))

    job = started(org_admin, job)

    assert (job.state, job.pause) == (Job.State.PAUSED, Job.Pause.LIMIT)
    assert list(states(job).values()).count("done") == 3
    other = prepared(org_admin, "user.activate", rows_for([1]))
    with pytest.raises(control.NotPossibleNow):
        started(org_admin, other)


def test_start_asks_for_what_the_policy_demands_and_keeps_what_was_met(acme, org_admin, environment, time_machine):
    environment.add(1)
    TicketPolicy.objects.create(
        organization=acme, action="user.deactivate", requirement=TicketPolicy.Requirement.REQUIRED
    )
    job = prepared(org_admin, "user.deactivate", rows_for([1]))
    access = access_of(org_admin)
    with pytest.raises(control.NotPossibleNow, match="ticket"):
        control.start(access, job, Circumstances())

    control.start(access, job, Circumstances(ticket="HD-1"))
    job = worked(job)

    assert AuditEntry.objects.current().get(action="user.deactivate").ticket == "HD-1"


def test_fresh_sign_in_of_the_start_counts_for_all_rows(acme, org_admin, helpdesk, environment, time_machine):
    night = Rights(
        pages=frozenset({Permission.RUN_JOBS}), actions={"user.deactivate": frozenset({REASON, FRESH_SIGN_IN})}
    )
    give(helpdesk, night)
    environment.add(1)
    job = prepared(helpdesk, "user.deactivate", rows_for([1]))
    access = access_of(helpdesk)
    with pytest.raises(control.NotPossibleNow) as refused:
        control.start(access, job, Circumstances(reason="Left", signed_in_at=timezone.now() - timedelta(hours=1)))
    assert refused.value.demanded == {Demand.FRESH_SIGN_IN}

    control.start(access, job, Circumstances(reason="Left", signed_in_at=timezone.now()))
    Job.objects.filter(pk=job.pk).update(  # an hour ago
        signed_in_at=timezone.now() - timedelta(hours=1), met_at=timezone.now() - timedelta(minutes=59)
    )

    assert states(worked(job)) == {1: "done"}


def test_list_that_may_be_cut_is_confirmed_with_its_count(acme, org_admin, environment):
    environment.add(1, 2)
    job = prepared(org_admin, "user.deactivate", rows_for([1, 2]))
    Job.objects.filter(pk=job.pk).update(is_possibly_cut=True)
    job.refresh_from_db()

    for people in (None, 3):
        with pytest.raises(control.NotPossibleNow):
            started(org_admin, job, people=people)
    assert started(org_admin, job, people=2).state == Job.State.FINISHED


def test_rows_left_out_and_canceled_jobs_run_nothing_more(acme, org_admin, environment):
    environment.add(1, 2, 3)
    job = prepared(org_admin, "user.deactivate", rows_for([1, 2, 3]))
    job.rows.filter(number=2).update(left_out=True)

    job = started(org_admin, job, first=1)
    control.cancel(access_of(org_admin), job)

    assert worked(job).state == Job.State.CANCELED
    assert states(job) == {1: "done", 2: "not reached", 3: "not reached"}
    assert job.delete_after is not None
    with pytest.raises(control.NotPossibleNow):
        control.resume(access_of(org_admin), job)


def test_over_jobs_are_deleted_after_a_time_and_the_record_stays(acme, org_admin, environment):
    environment.add(1)
    job = started(org_admin, prepared(org_admin, "user.deactivate", rows_for([1])))
    fresh = prepared(org_admin, "user.activate", rows_for([1]))
    call_command("clear_finished_work", stdout=StringIO())
    assert Job.objects.count() == 2
    Job.objects.filter(pk=job.pk).update(delete_after=timezone.now() - timedelta(seconds=1))

    call_command("clear_finished_work", stdout=StringIO())

    assert list(Job.objects.all()) == [fresh]
    assert AuditEntry.objects.filter(action="user.deactivate").exists()
    Job.objects.filter(pk=fresh.pk).update(created_at=timezone.now() - timedelta(days=31))
    call_command("clear_finished_work", stdout=StringIO())
    assert not Job.objects.exists()


def test_progress_says_how_far_and_how_fast(acme, org_admin, environment):
    environment.add(1, 2, 3, 4)
    job = started(org_admin, prepared(org_admin, "user.deactivate", rows_for([1, 2, 3, 4])), first=1)
    now = progress(job)
    assert (now.reached, now.left, now.percent, now.rows_a_second) == (1, 3, 25, 0.0)

    Job.objects.filter(pk=job.pk).update(state=Job.State.RUNNING, started_at=timezone.now() - timedelta(seconds=10))
    job.refresh_from_db()
    now = progress(job)

    assert now.rows_a_second == pytest.approx(0.1, rel=0.2)
    assert now.seconds_left == pytest.approx(30, rel=0.2)


def test_rows_run_several_at_a_time_each_once(acme, org_admin, environment, monkeypatch):
    monkeypatch.setattr("console.jobs.runner.AT_ONCE", 4)
    environment.add(*range(1, 31))
    job = prepared(org_admin, "user.update", rows_for(range(1, 31), title="Lead"))
    barrier = Barrier(2, timeout=20)

    def meet(_request):
        if len(environment.writes) <= 2:
            barrier.wait()  # two rows are under way at once

    environment.before = meet

    job = started(org_admin, job, first=25)

    assert list(states(job).values()).count("done") == 25
    assert job.pause == Job.Pause.FIRST_ROWS
    control.resume(access_of(org_admin), job)
    assert set(states(worked(job)).values()) == {"done"}
    assert len(environment.writes) == len(set(environment.writes)) == 30


def test_hourly_limits_of_people_are_not_those_of_jobs(acme, org_admin, environment):
    LimitPolicy.objects.create(organization=acme, limit="risky", most=1)
    environment.add(1, 2, 3, 4, 5)

    def by_hand(username):
        user_id = UUID(environment.named(username)["id"])
        return perform(access_of(org_admin), BY_KEY["user.deactivate"], user_id, {}, Circumstances())

    assert isinstance(by_hand("user4"), Done)
    job = started(org_admin, prepared(org_admin, "user.deactivate", rows_for([1, 2, 3])))
    assert set(states(job).values()) == {"done"}
    LimitPolicy.objects.update(most=2)
    assert isinstance(by_hand("user5"), Done)  # the second of the hour: rows of jobs do not count


def test_jobs_take_half_of_the_calls_while_somebody_of_the_organization_works(acme, globex, org_admin, stranger):
    assert percent_for(acme) == 90

    def works(operator, minutes_ago):
        at = timezone.now() - timedelta(minutes=minutes_ago)
        session = UserSession.objects.create(
            user=operator, session_key=f"{operator.pk}"[:32] + str(minutes_ago), ip="203.0.113.1", user_agent=""
        )
        UserSession.objects.filter(pk=session.pk).update(last_seen_at=at)

    works(stranger, 0)
    works(org_admin, 10)
    assert percent_for(acme) == 90
    works(org_admin, 1)
    assert percent_for(acme) == 50
