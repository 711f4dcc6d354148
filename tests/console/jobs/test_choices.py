"""Choosing rows of a preview: bound to the preview as it is at that moment, never to one that a page showed before."""

from datetime import timedelta
from uuid import UUID

import pytest

from console.audit.entries import Circumstances
from console.jobs import approval, control, same_person
from console.jobs.choices import choose
from console.jobs.control import NotPossibleNow
from console.jobs.listed import ListedRow
from console.models import ApprovalRequest, Job, JobRow
from tests.support.answers import STAFF
from tests.support.approving import approves, demand, make_long_standing, time_passes
from tests.support.many_people import access_of, prepared, row_of, rows_for, started, states, worked
from tests.support.people import make_operator

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

NEW = [
    ListedRow(number=1, key="", values={"username": "anna"}),
    ListedRow(number=2, key="", values={"username": "other", "email": "user1@acme.test"}),
]


def asked_for(operator, job):
    with pytest.raises(NotPossibleNow) as refused:
        control.start(access_of(operator), job, Circumstances(reason="Asked", asks_approval=True))
    assert refused.value.asked
    return ApprovalRequest.objects.get(pk=refused.value.asked)


def left_out(job):
    return set(job.rows.filter(left_out=True).values_list("number", flat=True))


def test_rows_of_a_job_that_has_started_meanwhile_are_not_chosen(acme, org_admin, environment):
    environment.add(1, 2)
    job, access = prepared(org_admin, "user.deactivate", rows_for([1, 2])), access_of(org_admin)
    choose(access, job, [2], left_out=[2], decisions={})
    stale = Job.objects.get(pk=job.pk)
    started(org_admin, job, first=1)

    with pytest.raises(NotPossibleNow, match="has started"):
        choose(access, stale, [2], left_out=[], decisions={})

    assert left_out(job) == {2}
    control.resume(access, job)
    assert states(worked(job)) == {1: "done", 2: "not reached"}


def test_decision_that_was_under_way_at_the_start_changes_no_row(acme, org_admin, environment):
    environment.add(1)
    job = prepared(org_admin, "user.create", NEW, population_id=str(STAFF))
    stale, row, access = Job.objects.get(pk=job.pk), row_of(job, 2), access_of(org_admin)
    started(org_admin, job)

    for decision in (JobRow.Decision.CREATE, JobRow.Decision.UPDATE):
        with pytest.raises(NotPossibleNow, match="has started"):
            same_person.decide(access, stale, row, decision, user_id=UUID(row.same_as[0]["id"]))

    assert (row_of(job, 2).decision, states(job)) == ("", {1: "done", 2: "not reached"})


@pytest.mark.parametrize("change", ["a row is taken in again", "a row is decided in another way"])
def test_start_runs_what_was_chosen_when_it_was_pressed(acme, org_admin, environment, monkeypatch, change):
    """Between what a start asks for and the start itself, somebody chooses in another tab."""
    environment.add(1)
    job = prepared(org_admin, "user.create", NEW, population_id=str(STAFF))
    same_person.decide(access_of(org_admin), job, row_of(job, 2), JobRow.Decision.CREATE)
    if "again" in change:
        job.rows.filter(number=1).update(left_out=True)
    required = approval.required

    def meanwhile(*given):
        job.rows.filter(number=1).update(left_out=False)
        if "decided" in change:
            job.rows.filter(number=2).update(decision=JobRow.Decision.UPDATE)
        return required(*given)

    monkeypatch.setattr(approval, "required", meanwhile)

    with pytest.raises(NotPossibleNow, match="chosen in another way"):
        started(org_admin, job)

    assert Job.objects.get().state == Job.State.PREVIEWED
    assert environment.writes == []


@pytest.mark.parametrize("is_approved", [False, True], ids=["open", "approved"])
def test_rows_whose_approval_is_asked_for_stay_as_the_approver_sees_them(
    acme, org_admin, environment, browser_of, is_approved
):
    second = make_operator("second@acme.test", acme, "org_admin")
    make_long_standing(org_admin, second)
    demand(acme, "user.deactivate", "user.create")
    environment.add(1, 2)
    job, access = prepared(org_admin, "user.deactivate", rows_for([1, 2])), access_of(org_admin)
    choose(access, job, [2], left_out=[2], decisions={})
    request = asked_for(org_admin, job)
    if is_approved:
        approves(second, request)

    with pytest.raises(NotPossibleNow, match="Withdraw the request first"):
        choose(access, job, [2], left_out=[], decisions={})
    page = browser_of(org_admin).get(f"/o/acme/jobs/{job.pk}/").text
    assert 'name="leave-out"' not in page
    assert f'href="/o/acme/approvals/{request.pk}/"' in page
    assert left_out(job) == {2}

    time_passes(timedelta(hours=73))
    choose(access, job, [1, 2], left_out=[], decisions={})
    assert left_out(job) == set()
