"""Attacks with jobs: a job as a side door around what stops the same action on a page.

Each story: what somebody does, and that nothing of it reaches PingOne. With the guard taken out, it does.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import respx
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils import timezone

from console.access import Permission
from console.actions.catalogue import ACTIONS, BY_KEY
from console.audit.entries import Circumstances
from console.jobs import control, drafts, one_row, runner, same_person
from console.jobs.limits import TooManyRows
from console.jobs.listed import KeyKind, ListedRow
from console.jobs.undo import undo_job
from console.models import Job, JobRow, LimitPolicy, Membership, Organization, ProtectedMark, TicketPolicy
from console.rights.roles import Rights
from tests.support.answers import ENGINEERS, STAFF
from tests.support.many_people import (
    ManyPeople,
    access_of,
    person,
    prepared,
    rows_for,
    started,
    states,
    verdicts,
    worked,
)
from tests.support.people import API_URL, ENVIRONMENT, make_operator
from tests.support.rights import give
from tests.support.small_environment import command, read_groups

pytestmark = [pytest.mark.django_db(transaction=True)]

ELSEWHERE = UUID("00000000-0000-4000-8000-0000000000ee")
RUNS_JOBS = Rights(
    pages=frozenset({Permission.RUN_JOBS}),
    actions=dict.fromkeys(("user.deactivate", "user.activate", "user.update", "group.add", "user.move"), frozenset()),
)


@pytest.fixture
def environment() -> Iterator[ManyPeople]:
    with respx.mock(base_url=f"{API_URL}/v1/environments/{ENVIRONMENT}", assert_all_called=False) as router:
        many = ManyPeople()
        router.route().mock(side_effect=many)
        yield many


@pytest.fixture(autouse=True)
def _one_row_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(one_row, "wait", lambda _seconds: None)
    monkeypatch.setattr(runner, "AT_ONCE", 1)


def test_agent_starts_no_job(acme, helpdesk, environment):
    environment.add(1)
    with pytest.raises(PermissionDenied):
        prepared(helpdesk, "user.deactivate", rows_for([1]))


def test_job_runs_no_action_that_the_role_lacks(acme, helpdesk, environment):
    give(helpdesk, Rights(pages=frozenset({Permission.RUN_JOBS}), actions={"user.activate": frozenset()}))
    environment.add(1)
    for action in ACTIONS:
        if action.key != "user.activate":
            with pytest.raises(PermissionDenied):
                prepared(helpdesk, action.key, rows_for([1]))


@pytest.mark.parametrize(
    "key", ["password.set-temporary", "password.replace", "mfa.disable", "mfa.bypass", "user.delete", "user.lock"]
)
def test_action_that_is_for_one_user_is_no_job_for_org_admins_either(acme, org_admin, environment, key):
    environment.add(1)
    with pytest.raises(PermissionDenied):
        prepared(org_admin, key, rows_for([1]))


@pytest.mark.parametrize("way", ["marked", "role", "group with roles", "added to a group with roles", "operator"])
def test_protected_user_is_out_of_reach_of_jobs_of_org_admins_too(acme, org_admin, environment, way):
    environment.add(1)
    user_id = UUID(person(1)["id"])
    inputs: dict[str, Any] = {"group_id": str(ENGINEERS)} if "added" in way else {}
    action = "group.add" if inputs else "user.deactivate"
    job = prepared(org_admin, action, rows_for([1]), **inputs)  # it was nobody special when the preview was made
    match way:
        case "marked":
            ProtectedMark.objects.create(
                organization=acme, kind="user", target_id=user_id, name="user1", reason="CEO", marked_by=org_admin
            )
        case "role":
            environment.roles.add(user_id)
        case "operator":
            make_operator("user1@acme.test", acme, "auditor")
        case _:
            environment.roles.add(ENGINEERS)
            if way == "group with roles":
                environment.members[user_id].add(ENGINEERS)
            read_groups(acme)
    started(org_admin, job)

    assert states(job) == {1: "refused"}
    assert verdicts(prepared(org_admin, action, rows_for([1]), **inputs)) == {1: "protected"}
    assert environment.writes == []


def test_lock_down_stops_a_job_that_gives_access(acme, org_admin, environment):
    environment.add(1, 2, enabled=False)
    job = prepared(org_admin, "user.activate", rows_for([1, 2]))
    lock = lambda: Organization.objects.filter(pk=acme.pk).update(  # noqa: E731
        locked_down_at=timezone.now(), lock_down_reason="Theft"
    )
    environment.after = lambda _request: lock() and None

    started(org_admin, job)

    assert states(job) == {1: "done", 2: "refused"}
    assert len(environment.writes) == 1
    again = prepared(org_admin, "user.activate", rows_for([2]))
    assert verdicts(again) == {2: "not allowed"}
    again.rows.update(verdict="change")
    with pytest.raises(control.NotPossibleNow, match="Theft"):
        started(org_admin, again)


def test_narrowed_operator_learns_of_and_reaches_nobody_elsewhere(acme, helpdesk, environment):
    give(helpdesk, RUNS_JOBS)
    Membership.objects.filter(operator=helpdesk).update(populations=[str(STAFF)])
    environment.add(1, 2)
    environment.add(3, population={"id": str(ELSEWHERE)}, _embedded=None)
    job = prepared(helpdesk, "user.deactivate", rows_for([1, 2, 3, 4]))
    assert verdicts(job) == {1: "change", 2: "change", 3: "not found", 4: "not found"}
    assert job.rows.get(number=3).detail == job.rows.get(number=4).detail
    environment.named("user2").update(population={"id": str(ELSEWHERE)}, _embedded=None)

    started(helpdesk, job)

    assert states(job)[1] == "done"
    assert states(job)[2] in {"failed", "refused", "conflict"}
    assert environment.named("user2")["enabled"] is True


def test_job_of_another_organization_is_not_there(acme, globex, org_admin, stranger, environment):
    environment.add(1)
    job = prepared(org_admin, "user.deactivate", rows_for([1]))
    theirs = access_of(stranger, "globex")

    with pytest.raises(Http404):
        control.job_or_404(theirs, job.pk)
    for act in (control.pause, control.cancel, control.resume, control.retry_failed, control.start_dry_run):
        with pytest.raises(PermissionDenied):
            act(theirs, job)
    with pytest.raises(PermissionDenied):
        control.start(theirs, job, Circumstances(signed_in_at=timezone.now()))
    with pytest.raises(PermissionDenied):
        same_person.decide(theirs, job, job.rows.get(), JobRow.Decision.CREATE)
    with pytest.raises(PermissionDenied):
        control.let_pass(theirs, job, Circumstances(signed_in_at=timezone.now()))
    Job.objects.filter(pk=job.pk).update(state=Job.State.FINISHED)
    job.refresh_from_db()
    job.rows.update(state="done")
    with pytest.raises(PermissionDenied):
        undo_job(theirs, job)
    assert environment.writes == []


def test_nobody_starts_or_resumes_a_job_with_the_rights_of_another(acme, org_admin, environment):
    other = access_of(make_operator("second@acme.test", acme, "org_admin"))
    environment.add(1)
    job = prepared(org_admin, "user.deactivate", rows_for([1]))

    with pytest.raises(PermissionDenied):
        control.start(other, job, Circumstances(reason="Asked"))
    started(org_admin, job, first=1, runs=False)
    control.pause(other, job)  # stopping is for every org admin
    with pytest.raises(PermissionDenied):
        control.resume(other, job)


@pytest.mark.parametrize(
    "loss", ["the action", "running jobs", "the membership", "a suspension", "the account", "a population"]
)
def test_right_taken_away_in_the_middle_ends_it_at_the_next_row(acme, helpdesk, environment, loss):
    give(helpdesk, RUNS_JOBS)
    membership = Membership.objects.filter(operator=helpdesk)
    environment.add(1, 2)
    job = prepared(helpdesk, "user.deactivate", rows_for([1, 2]))

    def lose(_request):
        match loss:
            case "the action":
                give(helpdesk, Rights(pages=RUNS_JOBS.pages, actions={"user.activate": frozenset()}))
            case "running jobs":
                give(helpdesk, Rights(actions=RUNS_JOBS.actions))
            case "the membership":
                membership.delete()
            case "a suspension":
                membership.update(suspended_at=timezone.now())
            case "the account":
                helpdesk.is_active = False
                helpdesk.save()
            case "a population":
                membership.update(populations=[str(ELSEWHERE)])

    environment.after = lose

    started(helpdesk, job)

    assert len(environment.writes) == 1
    assert environment.named("user2")["enabled"] is True


def test_ticket_that_is_required_since_the_start_is_asked_for(acme, org_admin, environment):
    environment.add(1, 2)
    job = prepared(org_admin, "user.deactivate", rows_for([1, 2]))

    def require(_request):
        TicketPolicy.objects.get_or_create(
            organization=acme, action="user.deactivate", requirement=TicketPolicy.Requirement.REQUIRED
        )

    environment.after = require

    started(org_admin, job)

    assert states(job) == {1: "done", 2: "refused"}


def test_size_of_a_job_is_limited_by_role(acme, org_admin, helpdesk, environment):
    give(helpdesk, RUNS_JOBS)
    for limit in ("job-rows", "job-rows.org_admin"):
        LimitPolicy.objects.create(organization=acme, limit=limit, most=2)
    for operator in (org_admin, helpdesk):
        with pytest.raises(TooManyRows):
            prepared(operator, "user.deactivate", rows_for([1, 2, 3]))
    assert not Job.objects.exists()


def test_rows_that_are_not_runnable_never_run(acme, org_admin, environment):
    environment.add(1, 2)
    job = prepared(
        org_admin,
        "user.deactivate",
        [*rows_for([1, 2]), ListedRow(number=5, key="nobody")],
    )
    job.rows.filter(number=1).update(left_out=True)

    started(org_admin, job)

    assert len(environment.writes) == 1


def test_viewing_as_a_member_prepares_no_job(acme, org_admin, helpdesk, environment):
    give(helpdesk, RUNS_JOBS)
    seen = access_of(org_admin).seen_as(Membership.objects.get(operator=helpdesk))

    with pytest.raises(PermissionDenied):
        drafts.create(
            seen, BY_KEY["user.deactivate"], rows_for([1]), key_kind=KeyKind.USERNAME, source=Job.Source.SELECTION
        )


def test_commands_in_a_loop_meet_the_brake_of_jobs(acme, org_admin, environment):
    environment.add(1, 2)
    LimitPolicy.objects.create(organization=acme, limit="brake-people", most=1)
    started(org_admin, prepared(org_admin, "user.deactivate", rows_for([1])))

    said = command(org_admin, "user.deactivate", "--user", person(2)["id"], "--reason", "Asked")

    assert "within a day" in said
    assert environment.named("user2")["enabled"] is True


def test_splitting_a_job_does_not_pass_the_brake(acme, org_admin, helpdesk, environment):
    give(helpdesk, RUNS_JOBS)
    environment.add(*range(1, 7))
    LimitPolicy.objects.create(organization=acme, limit="brake-people", most=3)
    first = prepared(org_admin, "user.deactivate", rows_for([1, 2]))
    second = prepared(helpdesk, "user.deactivate", rows_for([3, 4]))
    third = prepared(helpdesk, "user.move", rows_for([5, 6]), population_id=str(ELSEWHERE))

    for operator, job in ((org_admin, first), (helpdesk, second), (helpdesk, third)):
        started(operator, job)

    assert len(environment.writes) == 3
    assert {job.state for job in Job.objects.exclude(pk=first.pk)} == {Job.State.WAITING}
    for job in (second, third):
        with pytest.raises(control.NotPossibleNow):
            control.resume(access_of(helpdesk), job)


def test_sign_in_of_the_start_must_be_fresh_at_the_start(acme, helpdesk, environment):
    give(helpdesk, Rights(pages=RUNS_JOBS.pages, actions={"user.deactivate": frozenset({"fresh sign-in"})}))
    environment.add(1)
    job = prepared(helpdesk, "user.deactivate", rows_for([1]))

    for signed_in_at in (None, timezone.now() - timedelta(minutes=6)):
        forged = Circumstances(signed_in_at=signed_in_at, met_at=signed_in_at)
        with pytest.raises(control.NotPossibleNow):
            control.start(access_of(helpdesk), job, forged)
    assert worked(job).state == Job.State.PREVIEWED


def test_resuming_is_no_way_around_the_start(acme, org_admin, environment):
    environment.add(1, 2)
    job = prepared(org_admin, "user.deactivate", rows_for([1, 2]))
    Job.objects.filter(pk=job.pk).update(state=Job.State.PAUSED)  # it paused while it made its preview

    control.resume(access_of(org_admin), job)

    assert worked(job).state == Job.State.PREVIEWED
    assert environment.writes == []
