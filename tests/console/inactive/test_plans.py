"""Plans for inactive users: for all that the page lists or those who are ticked, read again before anything is done."""

import re
from datetime import timedelta
from uuid import UUID

import pytest
from django.utils import timezone

from console.access import enter_org
from console.audit.entries import Circumstances
from console.jobs import control, runner
from console.models import Job, Membership, PlanRun, PlanWork, ProtectedMark
from console.plans import engine, runs
from tests.support.crawling import CONTRACTORS, crawled, days_ago, switch_on

pytestmark = pytest.mark.django_db

PAGE, NEW = "/o/acme/users/inactive/", "/o/acme/jobs/new/"


@pytest.fixture(autouse=True)
def _one_row_at_a_time(monkeypatch):
    monkeypatch.setattr(runner, "AT_ONCE", 1)


@pytest.fixture
def people(acme, org_admin, environment):
    """Four inactive users, and one who is active."""
    for number in (1, 2, 3, 4):
        environment.someone(number, createdAt=days_ago(900), lastSignOn={"at": days_ago(200)})
    environment.someone(5, createdAt=days_ago(900), lastSignOn={"at": days_ago(1)})
    switch_on(org_admin)
    crawled()
    return environment


def hidden(page):
    found = re.findall(r'<input type="hidden" name="(source|inactive|ticked|ids|job_action)" value="([^"]*)"', page)
    fields: dict[str, list[str]] = {}
    for name, value in found:
        fields.setdefault(name, []).append(value.replace("&amp;", "&"))
    return fields


def prepared(client, *, ticked=None, **typed):
    """Go from the page to the preview of a job that starts Offboard: for all on the page, or those who are ticked."""
    if ticked is None:
        (href,) = re.findall(r'href="(/o/acme/jobs/new/[^"]*what=plan)"', client.get(PAGE).text)
        choice = client.get(href.replace("&amp;", "&"))
    else:
        fields = hidden(client.get(PAGE).text) | {"ids": [str(one) for one in ticked], "what": ["plan"]}
        choice = client.post(NEW, fields)
    assert 'value="plan.offboard"' in choice.text
    assert 'value="user.deactivate"' not in choice.text
    form = client.post(NEW, hidden(choice.text) | {"job_action": "plan.offboard"})
    answer = client.post(NEW, hidden(form.text) | {"when": "now", "zone": "UTC", "make": "1"} | typed)
    assert answer.status_code == 302, answer.text
    runner.run_due()
    return Job.objects.latest("created_at")


def begun(operator, job):
    job.refresh_from_db()
    control.start(enter_org(operator, "acme"), job, Circumstances(reason="Gone", signed_in_at=timezone.now()))
    runner.run_due()
    engine.run_due()
    return dict(job.rows.values_list("label", "state"))


def at_a_time():
    return {"when": "later", "at": f"{timezone.now().year + 1}-01-04T18:00"}


def time_comes():
    a_moment_ago = timezone.now() - timedelta(seconds=1)  # the database's clock is coarser
    PlanRun.objects.update(starts_at=a_moment_ago)
    PlanWork.objects.update(due_at=a_moment_ago)
    engine.run_due()


def test_plan_starts_for_all_whom_the_page_lists(org_admin, browser_of, people):
    job = prepared(browser_of(org_admin))

    assert dict(job.rows.values_list("label", "verdict")) == {f"user{number}": "change" for number in (1, 2, 3, 4)}
    assert "Offboard" in browser_of(org_admin).get(f"/o/acme/jobs/{job.pk}/").text
    assert people.writes == []

    assert set(begun(org_admin, job).values()) == {"done"}
    assert {run.person_name: run.state for run in PlanRun.objects.all()} == {
        f"user{number}": "finished" for number in (1, 2, 3, 4)
    }
    assert [people.named(f"user{number}")["enabled"] for number in (1, 2, 3, 4, 5)] == [False] * 4 + [True]


def test_plan_starts_for_those_who_are_ticked_and_only_for_inactive_ones(org_admin, browser_of, people):
    """The active one was ticked on no page: a form that was made up names them."""
    ticked = [people.named(f"user{number}")["id"] for number in (1, 3, 5)]

    job = prepared(browser_of(org_admin), ticked=ticked)

    assert sorted(job.rows.values_list("label", flat=True)) == ["user1", "user3"]
    assert "3 ticked users" in job.source_label


def test_nobody_ticked_is_not_everybody(org_admin, browser_of, people):
    client = browser_of(org_admin)
    fields = hidden(client.get(PAGE).text)

    answer = client.post(NEW, fields | {"what": ["plan"]}, follow=True)

    assert answer.request["PATH_INFO"] == PAGE
    assert "Tick the users first." in answer.text
    assert not Job.objects.exists()


def test_who_was_active_since_the_crawl_or_the_preview_gets_no_run(org_admin, browser_of, people):
    people.named("user1")["lastSignOn"] = {"at": days_ago(0)}
    job = prepared(browser_of(org_admin))
    people.named("user2")["lastSignOn"] = {"at": days_ago(0)}

    states = begun(org_admin, job)

    assert states == {"user1": "not reached", "user2": "conflict", "user3": "done", "user4": "done"}
    assert sorted(PlanRun.objects.values_list("person_name", flat=True)) == ["user3", "user4"]
    assert "have signed in" in job.rows.get(label="user2").detail
    assert people.named("user2")["enabled"]


CHANGES = [
    ("signed in", {"lastSignOn": {"at": days_ago(0)}}),
    ("moved", {"population": {"id": str(CONTRACTORS)}}),
]


@pytest.mark.parametrize(("how", "change"), CHANGES, ids=[how for how, _change in CHANGES])
def test_plan_at_a_time_asks_if_they_came_back_before_it_begins(org_admin, browser_of, people, how, change):
    job = prepared(
        browser_of(org_admin), ticked=[people.named(f"user{number}")["id"] for number in (1, 2)], **at_a_time()
    )
    begun(org_admin, job)
    assert people.writes == []
    people.named("user1").update(change)

    time_comes()

    asks, went_on = (PlanRun.objects.get(person_name=name) for name in ("user1", "user2"))
    assert (asks.state, asks.stop) == ("stopped", "person changed")
    assert people.named("user1")["enabled"]
    assert went_on.state == "finished"
    assert not people.named("user2")["enabled"]

    runs.resume(enter_org(org_admin, "acme"), asks, Circumstances(reason="Gone", signed_in_at=timezone.now()))
    engine.run_due()
    assert not people.named("user1")["enabled"]


def test_protected_person_is_not_in_it(acme, org_admin, browser_of, people):
    told = {"kind": ProtectedMark.Kind.USER, "target_id": people.named("user1")["id"], "name": "x", "reason": "CEO"}
    ProtectedMark.objects.create(organization=acme, marked_by=org_admin, **told)
    job = prepared(browser_of(org_admin))
    marked_later = UUID(people.named("user2")["id"])
    ProtectedMark.objects.create(
        organization=acme, marked_by=org_admin, **told | {"target_id": marked_later, "name": "y"}
    )

    states = begun(org_admin, job)

    assert job.rows.get(label="user1").verdict == "protected"
    assert states == {"user1": "not reached", "user2": "refused", "user3": "done", "user4": "done"}
    assert people.named("user1")["enabled"]
    assert people.named("user2")["enabled"]


def test_whoever_may_not_offboard_is_offered_no_plan(org_admin, helpdesk, browser_of, people):
    page = browser_of(helpdesk).get(PAGE).text

    assert "what=plan" not in page
    Membership.objects.filter(operator=org_admin).update(role="auditor")
    assert 'name="ids"' not in browser_of(org_admin).get(PAGE).text
