"""Inactive users: who is on the page, from when, for whom; the file; and the job that is made of them."""

import csv
import io
import re
from datetime import timedelta

import httpx
import pytest
from django.core.management import call_command
from django.utils import timezone

from console.access import enter_org
from console.actions.catalogue import BY_KEY
from console.audit.entries import Circumstances
from console.crawls import engine
from console.jobs import control, runner
from console.models import AuditEntry, Crawl, CrawledUser, Job, Membership
from console.perform.user_operation import perform
from tests.support.answers import STAFF
from tests.support.crawling import CONTRACTORS, crawled, days_ago, switch_on

pytestmark = pytest.mark.django_db

PAGE = "/o/acme/users/inactive/"


def people_in(environment):
    environment.someone(1, createdAt=days_ago(900), lastSignOn={"at": days_ago(200)})
    environment.someone(2, createdAt=days_ago(100), lastSignOn=None)
    environment.someone(3, createdAt=days_ago(10), lastSignOn=None)
    environment.someone(4, createdAt=days_ago(900), lastSignOn={"at": days_ago(2)})
    environment.someone(5, createdAt=days_ago(900), lastSignOn={"at": "sometime"})
    environment.someone(6, createdAt=days_ago(900), lastSignOn={"at": days_ago(400)}, enabled=False)
    environment.someone(7, population=CONTRACTORS, createdAt=days_ago(500), lastSignOn=None)


def shown(client, **query):
    return re.findall(r"<bdi>(user\d+)</bdi></a>", client.get(PAGE, query).text)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["user7", "user1", "user2"]),  # the longest first; user3 was created 10 days ago
        ({"days": "150"}, ["user7", "user1"]),
        ({"days": "5"}, ["user7", "user1", "user2", "user3"]),
        ({"kind": "never"}, ["user7", "user2"]),
        ({"status": "any"}, ["user7", "user6", "user1", "user2"]),
        ({"population": str(STAFF)}, ["user1", "user2"]),
        ({"population": str(CONTRACTORS), "kind": "never", "days": "600"}, []),
    ],
)
def test_page_lists_who_was_not_active_for_so_long(acme, org_admin, browser_of, environment, query, expected):
    people_in(environment)
    switch_on(org_admin)
    crawled()
    environment.requests.clear()

    assert shown(browser_of(org_admin), **query) == expected
    assert not environment.requests


def test_page_says_how_old_it_is_and_counts_by_time(acme, org_admin, browser_of, environment):
    people_in(environment)
    switch_on(org_admin)
    crawled()
    Crawl.objects.update(started_at=timezone.now() - timedelta(hours=7))

    page = browser_of(org_admin).get(PAGE).text

    assert "As of" in page
    assert "3 inactive users" in page
    bars = re.findall(
        r'<th scope="row" class="fw-normal text-nowrap">(.*?)</th>\s*<td class="text-end">(\d+)</td>', page
    )
    assert bars == [
        ("in the last 30 days", "2"),
        ("30 to 90 days ago", "0"),
        ("90 to 180 days ago", "1"),
        ("180 days to a year ago", "1"),
        ("more than a year ago", "1"),
        ("not known", "1"),
    ]
    assert "style=" not in page[page.index("<main") :]


def test_page_tells_what_it_takes_while_crawls_are_off(acme, org_admin, helpdesk, browser_of):
    assert "/o/acme/settings/crawls/" in browser_of(org_admin).get(PAGE).text
    told = browser_of(helpdesk).get(PAGE).text
    assert "Crawls are off" in told
    assert "/o/acme/settings/crawls/" not in told


def test_inactivity_counts_from_an_activation_in_the_console(acme, org_admin, browser_of, environment):
    environment.someone(1, createdAt=days_ago(900), lastSignOn=None, enabled=False)
    switch_on(org_admin)
    crawled()
    client = browser_of(org_admin)
    assert shown(client, status="any") == ["user1"]

    user_id = next(iter(environment.users))
    perform(enter_org(org_admin, "acme"), BY_KEY["user.activate"], user_id, {}, Circumstances())
    assert shown(client, status="any") == []  # at once

    crawled()  # and by the next crawl, which reads the record
    assert shown(client, status="any") == []


def test_user_who_was_deactivated_moved_or_deleted_here_leaves_the_list_at_once(
    acme, org_admin, browser_of, environment
):
    for number in (1, 2, 3, 4):
        environment.someone(number, createdAt=days_ago(900), lastSignOn=None)
    switch_on(org_admin)
    crawled()
    one, two, three, _four = environment.users
    access, reason = enter_org(org_admin, "acme"), Circumstances(reason="Left", signed_in_at=timezone.now())

    perform(access, BY_KEY["user.deactivate"], one, {}, reason)
    perform(access, BY_KEY["user.move"], two, {"population_id": CONTRACTORS}, Circumstances())
    environment.after = lambda _request: environment.users.pop(three) and httpx.Response(204)
    perform(access, BY_KEY["user.delete"], three, {}, Circumstances(reason="Left", signed_in_at=timezone.now()))

    assert shown(browser_of(org_admin)) == ["user4"]


def test_narrowed_operator_sees_their_populations_only(acme, org_admin, helpdesk, browser_of, environment):
    people_in(environment)
    switch_on(org_admin)
    crawled()
    Membership.objects.filter(operator=helpdesk).update(populations=[str(CONTRACTORS)])
    client = browser_of(helpdesk)

    assert shown(client) == ["user7"]
    assert shown(client, population=str(STAFF)) == []
    page = client.get(PAGE).text
    assert "Staff" not in page
    assert "1 inactive user" in page


def test_other_organizations_see_nothing_of_it(acme, globex, org_admin, stranger, browser_of, environment):
    people_in(environment)
    switch_on(org_admin)
    crawled()

    assert browser_of(stranger).get(PAGE).status_code == 404
    assert "user7" not in browser_of(stranger).get("/o/globex/users/inactive/").text


def test_crawl_that_is_held_or_incomplete_marks_nobody(acme, org_admin, browser_of, environment):
    people_in(environment)
    switch_on(org_admin)
    crawled()
    before = shown(browser_of(org_admin))
    for number in range(50, 100):
        environment.someone(number, createdAt=days_ago(900), lastSignOn=None)

    crawled()

    assert shown(browser_of(org_admin)) == before
    assert "waits until an org admin accepts it" in browser_of(org_admin).get(PAGE).text


def test_list_has_pages_and_is_exported_whole_on_record(acme, org_admin, browser_of, environment):
    for number in range(1, 31):
        environment.someone(number, createdAt=days_ago(100 + number), lastSignOn=None, username=f"=user{number}")
    switch_on(org_admin)
    crawled()
    client = browser_of(org_admin)

    assert client.get(PAGE).text.count("<bdi>=user") == 25
    assert client.get(PAGE, {"page": "2"}).text.count("<bdi>=user") == 5

    answer = client.get(f"{PAGE}export.csv", {"days": "110"})
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))
    assert len(rows) == 21
    assert {row["Population"] for row in rows} == {"Staff"}
    assert rows[0]["Username"].startswith("'=user")
    entry = AuditEntry.objects.get(action="inactive.exported")
    assert (entry.operator, entry.inputs["days"]) == (org_admin, 110)


def job_from(client, **query):
    page = client.get(PAGE, query).text
    href = re.findall(r'href="(/o/acme/jobs/new/\?source=inactive[^"]*)"', page)[0].replace("&amp;", "&")
    form = client.get(href).text
    fields = dict(re.findall(r'<input type="hidden" name="(source|inactive)" value="([^"]*)"', form))
    fields = {name: value.replace("&amp;", "&") for name, value in fields.items()}
    answer = client.post("/o/acme/jobs/new/", fields | {"job_action": "user.deactivate", "make": "1"})
    assert answer.status_code == 302, answer.text
    return Job.objects.latest("created_at")


def test_job_is_made_of_those_whom_the_page_lists(acme, org_admin, browser_of, environment):
    people_in(environment)
    switch_on(org_admin)
    crawled()
    environment.requests.clear()

    job = job_from(browser_of(org_admin), population=str(STAFF))
    runner.run_due()

    assert sorted(job.rows.values_list("label", "verdict")) == [("user1", "change"), ("user2", "change")]
    assert len([one for one in environment.reads if one == "/users"]) == 1  # one call, however many
    job.refresh_from_db()
    assert "Staff" in job.source_label


def test_job_leaves_out_who_was_active_since_the_crawl(acme, org_admin, browser_of, environment, monkeypatch):
    monkeypatch.setattr(runner, "AT_ONCE", 1)
    for number in (1, 2, 3, 4):
        environment.someone(number, createdAt=days_ago(900), lastSignOn=None)
    switch_on(org_admin)
    crawled()
    job = job_from(browser_of(org_admin))
    environment.named("user1")["lastSignOn"] = {"at": days_ago(0)}
    environment.named("user2")["lastSignOn"] = {"at": "sometime"}

    runner.run_due()

    assert dict(job.rows.values_list("label", "verdict")) == {
        "user1": "conflict",
        "user2": "conflict",
        "user3": "change",
        "user4": "change",
    }

    environment.named("user3")["lastSignOn"] = {"at": days_ago(0)}  # after the preview
    job.refresh_from_db()
    control.start(enter_org(org_admin, "acme"), job, Circumstances(reason="Gone", signed_in_at=timezone.now()))
    runner.run_due()

    assert dict(job.rows.values_list("label", "state")) == {
        "user1": "not reached",
        "user2": "not reached",
        "user3": "conflict",
        "user4": "done",
    }
    assert environment.named("user3")["enabled"]


def test_org_admin_switches_crawls_on_and_accepts_one_on_the_page(acme, org_admin, helpdesk, browser_of, environment):
    people_in(environment)
    switch_on(org_admin)
    client = browser_of(org_admin)
    client.post("/o/acme/settings/crawls/", {"do": "switch-off"})
    assert not CrawledUser.objects.exists()
    client.post("/o/acme/settings/crawls/", {"do": "switch-on"})
    crawled()
    for number in range(50, 100):
        environment.someone(number)
    crawled()

    page = client.get("/o/acme/settings/crawls/").text
    assert "56 users now, 6 before" in page
    crawl = re.findall(r'name="crawl" value="(\d+)"', page)[0]
    assert browser_of(helpdesk).post("/o/acme/settings/crawls/", {"do": "accept", "crawl": crawl}).status_code == 403

    client.post("/o/acme/settings/crawls/", {"do": "accept", "crawl": crawl})
    engine.run_due()

    assert Crawl.objects.get(population_id=STAFF).people == 56
    assert "56 users now" not in client.get("/o/acme/settings/crawls/").text
    call_command("clear_finished_work")  # leaves what is known
    assert CrawledUser.objects.count() == 57
