"""The brake on mass change: where it stops a job, what it counts, and who lets the job pass."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from console.audit.entries import Circumstances, Outcome
from console.jobs import control
from console.models import AuditEntry, Job, LimitPolicy
from pingone_integration.models import SyncedPopulation
from tests.support.answers import STAFF
from tests.support.many_people import access_of, person, prepared, rows_for, started, states, worked
from tests.support.people import ENVIRONMENT, make_operator
from tests.support.record import happened

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


def brake_at(organization, people, *, percent=100, least=1_000):
    for name, most in {"people": people, "percent": percent, "least": least}.items():
        LimitPolicy.objects.create(organization=organization, limit=f"brake-{name}", most=most)


def staff_counts(organization, users):
    SyncedPopulation.objects.create(
        connection=organization.connection,
        environment_id=ENVIRONMENT,
        population_id=STAFF,
        name="Staff",
        is_default=True,
        user_count=users,
        synced_at=timezone.now(),
    )


def test_job_stops_before_the_row_that_would_pass_the_brake(acme, org_admin, environment):
    other = make_operator("second@acme.test", acme, "org_admin")
    environment.add(*range(1, 5))
    brake_at(acme, 2)
    job = prepared(org_admin, "user.deactivate", rows_for(range(1, 5)))

    job = started(org_admin, job)

    assert job.state == Job.State.WAITING
    assert states(job) == {1: "done", 2: "done", 3: "not reached", 4: "not reached"}
    assert len(environment.writes) == 2
    assert (job.approval["people"], job.approval["rows"]) == (3, 2)
    with pytest.raises(control.NotPossibleNow, match="second"):
        control.let_pass(access_of(org_admin), job, Circumstances(signed_in_at=timezone.now()))
    control.let_pass(access_of(other), job, Circumstances())
    job = worked(job)
    assert job.state == Job.State.FINISHED
    assert set(states(job).values()) == {"done"}
    assert job.approver == other


def test_only_org_admin_lets_a_job_pass_with_a_fresh_sign_in(acme, org_admin, helpdesk, environment):
    environment.add(1, 2)
    brake_at(acme, 1)
    job = started(org_admin, prepared(org_admin, "user.deactivate", rows_for([1, 2])))
    access = access_of(org_admin)

    with pytest.raises(PermissionDenied):
        control.let_pass(access_of(helpdesk), job, Circumstances(signed_in_at=timezone.now()))
    with pytest.raises(control.NotPossibleNow):
        control.let_pass(access, job, Circumstances(signed_in_at=timezone.now() - timedelta(hours=1)))
    control.let_pass(access, job, Circumstances(signed_in_at=timezone.now()))

    assert worked(job).state == Job.State.FINISHED


@pytest.mark.parametrize(("users", "stops_after"), [(20, 2), (100, 5), (1_000, None), (None, 2)])
def test_part_of_a_population_is_counted_by_its_size(acme, org_admin, environment, users, stops_after):
    environment.add(*range(1, 8))
    brake_at(acme, 50, percent=5, least=2)
    staff_counts(acme, users)

    job = started(org_admin, prepared(org_admin, "user.deactivate", rows_for(range(1, 8))))

    done = list(states(job).values()).count("done")
    assert done == (7 if stops_after is None else stops_after)
    assert job.state == (Job.State.FINISHED if stops_after is None else Job.State.WAITING)
    size = "and its size is not known" if users is None else f"5 % of its {users}"
    assert stops_after is None or job.pause_detail.startswith(f"{stops_after + 1} people of Staff within a day")
    assert stops_after is None or size in job.pause_detail


# What happened before, and whether it counts
BEFORE = {
    "by a job of somebody else": ({"channel": "job"}, True),
    "by a command": ({"channel": "command"}, True),
    "another action that takes access": ({"channel": "job", "action": "group.remove"}, True),
    "its outcome is unknown": ({"channel": "job", "outcome": Outcome.UNKNOWN}, True),
    "on a page": ({"channel": "page"}, False),
    "it failed": ({"channel": "job", "outcome": Outcome.FAILED}, False),
    "an action that gives access": ({"channel": "job", "action": "user.activate"}, False),
    "the same user": ({"channel": "job", "user_id": person(1)["id"]}, False),
}


@pytest.mark.parametrize("case", BEFORE)
def test_people_are_summed_over_everybody(acme, org_admin, helpdesk, environment, case):
    what, counts = BEFORE[case]
    environment.add(1)
    brake_at(acme, 1)
    happened(acme, helpdesk, **({"action": "user.deactivate", "user_id": person(2)["id"]} | what))

    job = started(org_admin, prepared(org_admin, "user.deactivate", rows_for([1])))

    assert job.state == (Job.State.WAITING if counts else Job.State.FINISHED)


def test_stop_is_on_record(acme, org_admin, environment):
    environment.add(1, 2)
    brake_at(acme, 1)
    assert started(org_admin, prepared(org_admin, "user.deactivate", rows_for([1]))).state == Job.State.FINISHED
    assert started(org_admin, prepared(org_admin, "user.deactivate", rows_for([2]))).state == Job.State.WAITING
    assert AuditEntry.objects.filter(action="job.braked").count() == 1


def test_actions_that_give_access_are_not_braked(acme, org_admin, environment):
    environment.add(1, 2, 3, enabled=False)
    brake_at(acme, 1)

    job = started(org_admin, prepared(org_admin, "user.activate", rows_for([1, 2, 3])))

    assert job.state == Job.State.FINISHED
