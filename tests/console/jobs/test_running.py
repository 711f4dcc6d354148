"""Running a job: each row through `perform`, pausing, resuming, and what is left of a row that was not reached."""

import pytest

from console.models import AuditEntry, Job
from tests.support.many_people import prepared, row_of, rows_for, started, states, verdicts

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
    entry = AuditEntry.objects.current().get(entry=row_of(job, 2).entry)
    assert (entry.action, entry.subject_name, entry.outcome) == ("user.deactivate", "user2", "succeeded")
    assert (entry.operator, entry.channel, entry.reason) == (org_admin, "job", "Asked")
