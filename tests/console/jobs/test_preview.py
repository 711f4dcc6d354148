"""The preview (dry run): what each row would do, and what keeps it from running."""

from uuid import UUID

import pytest

from console.access import Permission
from console.jobs import same_person
from console.jobs.control import NotPossibleNow
from console.jobs.listed import CLEAR, KeyKind, ListedRow
from console.jobs.overview import Overview
from console.jobs.totals import CALLS, USUAL
from console.models import Job, JobRow, Membership, ProtectedMark
from console.rights.permissions import ACTIONS_OF
from console.rights.roles import Rights
from tests.support.answers import ENGINEERS, STAFF
from tests.support.many_people import (
    access_of,
    person,
    prepared,
    row_of,
    rows_for,
    started,
    states,
    verdicts,
)
from tests.support.rights import give

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

ELSEWHERE = "00000000-0000-4000-8000-0000000000ee"


def row(number, key, **values):
    return ListedRow(number=number, key=key, values=values)


def test_each_row_gets_the_verdict_that_it_deserves(acme, org_admin, environment):
    environment.add(1, 2, 3, 4, 5)
    environment.add(6, 7, email="both@acme.test")
    environment.users[next(iter(environment.users))]["enabled"] = False  # user1
    ProtectedMark.objects.create(
        organization=acme,
        kind=ProtectedMark.Kind.USER,
        target_id=person(3)["id"],
        name="user3",
        reason="CEO",
        marked_by=org_admin,
    )
    environment.roles.add(UUID(person(5)["id"]))
    rows = [
        row(2, "user1@acme.test"),
        row(3, "USER2@acme.test "),
        row(4, "user3@acme.test"),
        row(5, "nobody@acme.test"),
        row(6, "both@acme.test"),
        row(7, ""),
        ListedRow(number=8, key="user4@acme.test", problem="A quote is not closed."),
        row(9, "user2@acme.test"),
        row(10, "user5@acme.test"),
    ]

    job = prepared(org_admin, "user.deactivate", rows, kind=KeyKind.EMAIL)

    assert verdicts(job) == {
        2: "no change",
        3: "change",
        4: "protected",
        5: "not found",
        6: "ambiguous",
        7: "invalid",
        8: "invalid",
        9: "duplicate",
        10: "protected",
    }
    assert row_of(job, 8).detail == "A quote is not closed."
    assert "line 3" in row_of(job, 9).detail
    assert {one["username"] for one in row_of(job, 6).same_as} == {"user6", "user7"}
    assert job.totals["verdicts"]["invalid"] == 2
    assert environment.writes == []
    assert len(environment.filters) == 1  # all keys in one call


def test_update_shows_old_and_new_values_and_counts_what_is_cleared(acme, org_admin, environment):
    environment.add(1, 2, 3)
    rows = [
        row(1, "user1", title="Lead"),
        row(2, "user2", title=CLEAR),
        row(3, "user3", title="Analyst"),
        row(4, "user1", title="Boss"),
        row(5, "user2", mobile_phone="none"),
    ]

    job = prepared(org_admin, "user.update", rows)

    assert verdicts(job) == {1: "conflict", 2: "change", 3: "no change", 4: "conflict", 5: "invalid"}
    assert row_of(job, 2).shown["changes"] == {"title": ["Analyst", ""]}
    assert job.totals["cleared"] == 1
    job = started(org_admin, job)
    assert "title" not in environment.named("user2") or not environment.named("user2")["title"]
    assert environment.named("user1")["title"] == "Analyst"


def test_rows_about_one_user_name_the_line_that_they_repeat_or_contradict(acme, org_admin, environment):
    environment.add(1, 2)
    rows = [row(2, "user1", title="Lead"), row(3, "user1", title="Lead"), row(4, "user2", title="A")]
    rows += [row(5, "user1", title="Lead"), row(6, "user2", title="A"), row(7, "user2", title="B")]

    job = prepared(org_admin, "user.update", rows)

    assert verdicts(job) == {2: "change", 3: "duplicate", 5: "duplicate", **dict.fromkeys((4, 6, 7), "conflict")}
    told = {number: row_of(job, number).detail for number in (3, 5, 4, 6, 7)}
    assert told[3] == told[5] == "The same as line 2."
    assert [told[4], told[6], told[7]] == [f"Line {one} wants something else for the same user." for one in (6, 4, 4)]


@pytest.mark.parametrize("typed", ["+46.701234567", "+46 70 123 45 67", "0046701234567", "070-123 45 67", "0701234567"])
@pytest.mark.parametrize("column", ["mobile_phone", "primary_phone"])
def test_new_user_with_a_known_phone_number_is_perhaps_the_same_person(acme, org_admin, environment, typed, column):
    environment.add(1, mobilePhone="+46.701234567")
    acme.countries = "SE"
    acme.save()
    rows = [row(1, "", username="anna", **{column: typed}), row(2, "", username="bo", **{column: "+46.701234568"})]

    job = prepared(org_admin, "user.create", rows, population_id=str(STAFF))

    assert verdicts(job) == {1: "same person", 2: "create"}
    assert [one["username"] for one in row_of(job, 1).same_as] == ["user1"]
    assert len(environment.filters) == 1


def test_new_user_who_is_perhaps_known_is_decided_row_by_row(acme, org_admin, environment):
    environment.add(1, externalId="E-1")
    rows = [
        row(1, "", username="anna", given_name="Anna", family_name="Lind"),
        row(2, "", username="other", email="USER1@acme.test", title="Lead"),
        row(3, "", username="third", external_id="e-1"),
        row(4, "", username="User1"),
        row(5, "", username="fourth", email="user1@acme.test"),
        row(6, "", given_name="Nameless"),
    ]
    job = prepared(org_admin, "user.create", rows, population_id=str(STAFF))
    access = access_of(org_admin)

    assert verdicts(job) == {
        1: "create",
        2: "same person",
        3: "same person",
        4: "conflict",
        5: "same person",
        6: "invalid",
    }
    with pytest.raises(NotPossibleNow):
        same_person.decide(access, job, row_of(job, 1), JobRow.Decision.CREATE)
    known = row_of(job, 2).same_as[0]["id"]
    same_person.decide(access, job, row_of(job, 2), JobRow.Decision.UPDATE, user_id=UUID(known))
    same_person.decide(access, job, row_of(job, 3), JobRow.Decision.CREATE)
    assert row_of(job, 2).shown["changes"]["title"] == ["Analyst", "Lead"]

    job = started(org_admin, job)

    assert states(job)[5] == "not reached"  # not decided: never by default
    assert (environment.named("other")["title"], environment.named("third")["externalId"]) == ("Lead", "e-1")
    assert {one["username"] for one in environment.users.values()} == {"anna", "other", "third"}


def test_row_that_the_role_does_not_allow_says_so(acme, org_admin, helpdesk, environment):
    environment.add(1)
    environment.add(2, population={"id": ELSEWHERE}, _embedded=None)
    keys = [key for permission in (Permission.UPDATE_USERS, Permission.MOVE_USERS) for key in ACTIONS_OF[permission]]
    desk = Rights(
        pages=frozenset({Permission.RUN_JOBS}), actions=dict.fromkeys(keys, frozenset()), fields=frozenset({"title"})
    )
    give(helpdesk, desk)
    Membership.objects.filter(operator=helpdesk).update(populations=[str(STAFF)])

    edited = prepared(helpdesk, "user.update", [row(1, "user1", title="Lead", email="x@acme.test"), row(2, "user2")])
    moved = prepared(helpdesk, "user.move", rows_for([1]), population_id=ELSEWHERE)

    assert verdicts(edited) == {1: "not allowed", 2: "not found"}
    assert verdicts(moved) == {1: "not allowed"}


@pytest.mark.parametrize("way", ["direct", "by filter", "neither"])
def test_group_row_that_would_change_nothing_is_known_beforehand(acme, org_admin, environment, way):
    environment.add(1)
    user_id = next(iter(environment.users))
    if way != "neither":
        (environment.members if way == "direct" else environment.indirect)[user_id].add(ENGINEERS)

    added = prepared(org_admin, "group.add", rows_for([1]), group_id=str(ENGINEERS))

    assert verdicts(added) == {1: "no change" if way == "direct" else "change"}


def test_unknown_id_is_nobody(acme, org_admin, environment):
    environment.add(1)
    job = prepared(
        org_admin, "user.deactivate", [row(1, person(1)["id"]), row(2, ELSEWHERE), row(3, "mara")], kind=KeyKind.ID
    )

    assert verdicts(job) == {1: "change", 2: "not found", 3: "not found"}


@pytest.mark.parametrize(
    ("action", "state", "inputs", "values"),
    [
        ("user.deactivate", {}, {}, {}),
        ("user.activate", {"enabled": False}, {}, {}),
        ("mfa.enable", {"mfaEnabled": False}, {}, {}),
        ("user.update", {}, {}, {"title": "Lead"}),
        ("user.move", {}, {"population_id": ELSEWHERE}, {}),
        ("group.add", {}, {"group_id": str(ENGINEERS)}, {}),
        ("group.remove", {}, {"group_id": str(ENGINEERS)}, {}),
        ("user.unlock", {"account": {"canAuthenticate": False, "status": "LOCKED"}}, {}, {}),
        ("password.force-change", {}, {}, {}),
        ("sessions.end-all", {}, {}, {}),
    ],
)
def test_estimate_of_calls_is_what_rows_take(acme, org_admin, environment, action, state, inputs, values):
    environment.add(1, 2, **state)
    if action == "group.remove":
        for user_id in environment.users:
            environment.members[user_id].add(ENGINEERS)
    job = prepared(org_admin, action, rows_for([1, 2], **values), **inputs)
    before = len(environment.requests)

    job = started(org_admin, job)

    assert (len(environment.requests) - before) / 2 == CALLS.get(action, USUAL)
    assert states(job) == {1: "done", 2: "done"}


def test_preview_goes_on_where_it_ended(acme, org_admin, environment, monkeypatch):
    environment.add(*range(1, 4))
    monkeypatch.setattr("console.jobs.dry_run.AT_ONCE", 2)
    environment.status["/users"] = 503
    job = prepared(org_admin, "user.deactivate", rows_for([1, 2, 3]))
    assert (job.state, job.pause) == (Job.State.READING, Job.Pause.UNREACHABLE)
    assert "tries again" in str(Overview(job=job).pause)  # nobody has to resume it
    environment.status.clear()
    job.work.refresh_from_db()
    assert job.work.state == "waiting"
