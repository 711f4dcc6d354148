"""Undoing a job: the inverse rows as a new job, with a preview of its own."""

import pytest

from console.jobs import control, undo
from console.jobs.listed import ListedRow
from console.jobs.undo import undo_job, what_can_be_undone
from console.models import Job
from tests.support.answers import ENGINEERS, STAFF
from tests.support.many_people import access_of, entry_of, prepared, row_of, rows_for, started, states, verdicts, worked

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

ELSEWHERE = "00000000-0000-4000-8000-0000000000ee"


def undone(operator, job):
    inverse = undo_job(access_of(operator), job)
    return worked(inverse)


@pytest.mark.parametrize(
    ("action", "values", "inputs"),
    [
        ("user.deactivate", {}, {}),
        ("user.update", {"title": "Lead"}, {}),
        ("user.move", {}, {"population_id": ELSEWHERE}),
        ("group.add", {}, {"group_id": str(ENGINEERS)}),
    ],
)
def test_undo_brings_back_what_the_job_changed(acme, org_admin, environment, action, values, inputs):
    environment.add(1, 2)
    before = {key: dict(user) for key, user in environment.users.items()}
    job = started(org_admin, prepared(org_admin, action, rows_for([1, 2], **values), **inputs))
    assert what_can_be_undone(job).rows == 2

    inverse = undone(org_admin, job)

    assert (inverse.state, inverse.undoes, inverse.source) == (Job.State.PREVIEWED, job, "undo")
    assert verdicts(inverse) == {1: "change", 2: "change"}
    inverse = started(org_admin, inverse)
    assert states(inverse) == {1: "done", 2: "done"}
    for key, user in environment.users.items():
        kept = ("enabled", "title", "population")
        assert {name: user.get(name) for name in kept} == {name: before[key].get(name) for name in kept}
        assert not environment.members[key]
    entry = entry_of(inverse, 2)
    assert entry.undoes == row_of(job, 1).entry  # the last row first


def test_preview_of_an_undo_asks_for_many_users_at_once(acme, org_admin, environment):
    environment.add(*range(1, 31))
    job = started(org_admin, prepared(org_admin, "user.update", rows_for(range(1, 31), title="Lead")))
    renamed = environment.named("user30")
    renamed["username"] = "user30.new"
    environment.requests.clear()

    inverse = undone(org_admin, job)

    assert set(verdicts(inverse).values()) == {"change"}
    assert [path for path in environment.reads if path in {f"/users/{one}" for one in environment.users}] == [
        f"/users/{renamed['id']}"  # the name that the job knows finds nobody
    ]


def test_undo_leaves_users_alone_who_changed_since(acme, org_admin, environment):
    environment.add(1, 2, 3)
    job = started(org_admin, prepared(org_admin, "user.update", rows_for([1, 2, 3], title="Lead")))
    environment.named("user1")["title"] = "Boss"
    inverse = undone(org_admin, job)
    assert sorted(verdicts(inverse).values()) == ["change", "change", "conflict"]
    environment.named("user2")["title"] = "Boss"

    inverse = started(org_admin, inverse)

    assert environment.named("user1")["title"] == environment.named("user2")["title"] == "Boss"
    assert environment.named("user3")["title"] == "Analyst"


def test_rows_of_an_undo_are_stored_by_the_worker_in_parts_the_last_first(acme, org_admin, environment, monkeypatch):
    monkeypatch.setattr(undo, "_AT_ONCE", 2)
    environment.add(*range(1, 6))
    job = started(org_admin, prepared(org_admin, "user.deactivate", rows_for(range(1, 6))))

    inverse = undo_job(access_of(org_admin), job)

    assert not inverse.rows.exists()
    worked(inverse)
    assert [row.label for row in inverse.rows.order_by("number")] == [f"user{number}" for number in (5, 4, 3, 2, 1)]
    assert inverse.state == Job.State.PREVIEWED


def test_job_is_undone_once(acme, org_admin, environment):
    environment.add(1)
    job = started(org_admin, prepared(org_admin, "user.deactivate", rows_for([1])))
    first, second = undone(org_admin, job), undone(org_admin, job)

    assert states(started(org_admin, first)) == {1: "done"}
    assert states(started(org_admin, second)) == {1: "refused"}
    again = undone(org_admin, first)  # an undo is undone like any job

    assert states(started(org_admin, again)) == {1: "done"}
    assert environment.named("user1")["enabled"] is False


def test_what_has_no_inverse_is_said_beforehand(acme, org_admin, environment):
    row = ListedRow(number=1, key="", values={"username": "anna"})
    job = started(org_admin, prepared(org_admin, "user.create", [row], population_id=str(STAFF)))
    found = what_can_be_undone(job)

    assert (found.rows, found.lasting) == (0, 1)
    assert "cannot be undone" in str(found.problem)
    with pytest.raises(control.NotPossibleNow):
        undo_job(access_of(org_admin), job)
