"""Users who changed since the preview, in what their row is about: stopped and listed, wherever the list came from."""

from collections.abc import Callable
from uuid import UUID

import pytest

from console.access import OrgAccess
from console.actions.catalogue import BY_KEY
from console.jobs import control, lists
from console.jobs.files import kept
from console.jobs.new import make
from console.jobs.undo import undo_job
from console.models import Job, PeopleList, ProtectedMark
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

pytestmark = [pytest.mark.django_db(transaction=True)]

ELSEWHERE = {"id": "00000000-0000-4000-8000-0000000000ee"}
UPDATE = BY_KEY["user.update"]


def from_file(access: OrgAccess) -> PeopleList:
    content = "Username,Title\n" + "".join(f"user{number},Lead\n" for number in range(1, 7))
    people = kept.keep(access, "people.csv", [content.encode()])
    reading = lists.read_file(access, people, UPDATE)
    assert reading.columns
    lists.choose_columns(access, people, UPDATE, reading, reading.columns)
    return people


SOURCES: dict[str, Callable[[OrgAccess], PeopleList]] = {
    "file": from_file,
    "ticked rows": lambda access: lists.from_selection(access, [UUID(person(one)["id"]) for one in range(1, 7)]),
    "search": lambda access: lists.from_search(
        access, raw_filter=" or ".join(f'username eq "user{one}"' for one in range(1, 7))
    ),
    "group": lambda access: lists.from_group(access, ENGINEERS),
    "population": lambda access: lists.from_population(access, STAFF),
}


def change_everything(acme, org_admin, environment: ManyPeople) -> None:
    """Change the shown value, the population, the activation and the protection of a user each, and something else."""
    environment.named("user1")["title"] = "Boss"
    environment.named("user2").update(population=ELSEWHERE, _embedded=None)
    environment.named("user3")["enabled"] = not environment.named("user3")["enabled"]
    ProtectedMark.objects.create(
        organization=acme,
        kind=ProtectedMark.Kind.USER,
        target_id=person(4)["id"],
        name="user4",
        reason="CEO",
        marked_by=org_admin,
    )
    environment.named("user5").update(updatedAt="2026-11-27T00:00:00Z", nickname="Kit")  # nothing that was shown


STOPPED = {"user1": "conflict", "user2": "conflict", "user3": "conflict", "user4": "refused"}
RUN = {"user5": "done", "user6": "done"}


def outcomes(job: Job) -> dict[str, str]:
    return dict(job.rows.values_list("label", "state"))


@pytest.mark.parametrize("source", SOURCES)
def test_changed_user_is_stopped_and_listed(acme, org_admin, environment, browser_of, source):
    environment.add(*range(1, 7))
    for user_id in environment.users:
        environment.members[user_id].add(ENGINEERS)
    people = SOURCES[source](access_of(org_admin))
    job = worked(make(access_of(org_admin), UPDATE, people, {} if source == "file" else {"title": "Lead"}))
    assert list(verdicts(job).values()) == ["change"] * 6
    change_everything(acme, org_admin, environment)

    job = started(org_admin, job)

    assert outcomes(job) == STOPPED | RUN
    assert len(environment.writes) == 2
    listed = browser_of(org_admin).get(f"/o/acme/jobs/{job.pk}/?outcome=conflict").text
    assert listed.count("The user has changed since the preview. Nothing was changed.") == 3


def test_undo_stops_and_lists_users_who_changed_since_its_preview(acme, org_admin, environment):
    environment.add(*range(1, 7))
    job = started(org_admin, prepared(org_admin, "user.update", rows_for(range(1, 7), title="Lead")))
    inverse = worked(undo_job(access_of(org_admin), job))
    assert list(verdicts(inverse).values()) == ["change"] * 6
    writes = len(environment.writes)
    change_everything(acme, org_admin, environment)

    inverse = started(org_admin, inverse)

    assert outcomes(inverse) == STOPPED | RUN | {"user1": "refused"}  # what it would take back has changed
    assert len(environment.writes) == writes + 2


@pytest.mark.parametrize("before", ["failed", "stopped"])
def test_row_that_is_retried_is_still_compared_with_the_preview(acme, org_admin, environment, before):
    environment.add(*range(1, 7))
    job = prepared(org_admin, "user.update", rows_for(range(1, 7), title="Lead"))
    if before == "stopped":
        change_everything(acme, org_admin, environment)
    else:
        environment.status["users/" + person(1)["id"]] = 404
        for number in range(1, 7):
            environment.status["users/" + person(number)["id"]] = 404
    job = started(org_admin, job)
    writes = len(environment.writes)
    environment.status.clear()
    if before == "failed":
        assert set(outcomes(job).values()) == {"failed"}
        change_everything(acme, org_admin, environment)

    control.retry_failed(access_of(org_admin), job)
    worked(job)

    assert outcomes(job) == STOPPED | RUN
    assert len(environment.writes) == (writes if before == "stopped" else 2)


def test_retried_row_runs_once_the_user_is_again_as_the_preview_showed_them(acme, org_admin, environment):
    environment.add(1)
    job = prepared(org_admin, "user.update", rows_for([1], title="Lead"))
    environment.named("user1")["title"] = "Boss"
    assert states(started(org_admin, job)) == {1: "conflict"}
    environment.named("user1")["title"] = person(1)["title"]

    control.retry_failed(access_of(org_admin), job)

    assert states(worked(job)) == {1: "done"}
