"""Crawls: what is kept of a population, what is believed, and what nothing follows from."""

from datetime import timedelta
from unittest.mock import patch

import httpx
import pytest
from django.db.models.functions import Now
from django.utils import timezone

from console.access import enter_org
from console.crawls import changes, engine, populations, reading
from console.models import AuditEntry, Crawl, CrawledUser, CrawlWork
from pingone_integration.connection import tokens
from pingone_integration.models import Connection
from tests.support.answers import STAFF, listing
from tests.support.crawling import (
    CONTRACTORS,
    crawl_of,
    crawled,
    days_ago,
    names_in,
    renew,
    switch_on,
)

pytestmark = pytest.mark.django_db


class Killed(BaseException):
    """As SIGKILL: nothing catches it, and nothing is cleaned up."""


def staff_of(environment, count, *, start=1):
    for number in range(start, start + count):
        environment.someone(number)


def without(environment, count):
    for one in list(environment.users)[:count]:
        del environment.users[one]


def lease_runs_out():
    CrawlWork.objects.filter(state="running").update(lease_until=Now() - timedelta(seconds=1))


def test_crawl_keeps_who_is_in_which_population_and_when_they_were_active(acme, org_admin, environment):
    environment.someone(1, createdAt=days_ago(400), lastSignOn={"at": days_ago(30)})
    environment.someone(2, createdAt=days_ago(90), lastSignOn=None, enabled=False)
    environment.someone(3, createdAt=days_ago(90), lastSignOn={"at": "sometime"})
    environment.someone(4, population=CONTRACTORS)
    switch_on(org_admin)

    crawled()

    one, two, three = crawl_of(STAFF).users.order_by("username")
    assert (one.enabled, one.has_signed_on, two.enabled, two.has_signed_on) == (True, True, False, False)
    assert one.active_at == one.last_sign_on_at
    assert two.active_at == two.created_at
    assert three.active_at is None
    assert names_in(CONTRACTORS) == {"user4"}
    assert crawl_of(STAFF).people == 3


def test_nothing_is_crawled_until_an_org_admin_switches_it_on(acme, org_admin, environment):
    environment.someone(1)

    engine.run_due()

    assert not environment.requests
    assert not Crawl.objects.exists()


def test_switching_off_forgets_everybody(acme, org_admin, environment):
    environment.someone(1)
    switch_on(org_admin)
    crawled()

    populations.switch_off(enter_org(org_admin, "acme"))

    assert not CrawledUser.objects.exists()
    assert not Crawl.objects.exists()
    assert not CrawlWork.objects.exists()
    actions = list(AuditEntry.objects.order_by("sequence").values_list("action", flat=True))
    assert actions == ["crawls.switched-on", "crawls.switched-off"]


@pytest.mark.parametrize(
    ("before", "after", "is_held"),
    [
        (100, 120, False),  # 20 people are not more than 20
        (100, 121, True),
        (100, 79, True),
        (300, 330, False),  # 10 % is not more than 10 %
        (300, 331, True),
        (20, 0, False),
        (21, 0, True),
        (0, 21, True),
    ],
)
def test_crawl_that_is_much_larger_or_smaller_waits_for_an_org_admin(
    acme, org_admin, environment, before, after, is_held
):
    environment.page_size = 1_000
    staff_of(environment, before)
    switch_on(org_admin)
    crawled()
    environment.users.clear()
    staff_of(environment, after)

    crawled()

    assert Crawl.objects.filter(population_id=STAFF, state="held").exists() is is_held
    assert crawl_of(STAFF).people == (before if is_held else after)


def test_crawl_under_another_administrator_waits_until_it_is_accepted(acme, org_admin, environment):
    environment.someone(1)
    org = switch_on(org_admin)
    crawled()
    Connection.objects.filter(pk=org.connection_id).update(consented_by_id="administrator-2")
    environment.someone(2)

    crawled()

    held = crawl_of(STAFF, "held")
    assert held.held == "administrator"
    assert names_in(STAFF) == {"user1"}

    assert populations.accept(enter_org(org_admin, "acme"), held.pk)
    engine.run_due()

    assert names_in(STAFF) == {"user1", "user2"}
    assert CrawledUser.objects.filter(crawl__population_id=STAFF).count() == 2
    entry = AuditEntry.objects.get(action="crawl.accepted")
    assert (entry.operator, entry.subject_name, entry.inputs["users"]) == (org_admin, "Staff", 2)
    assert not populations.accept(enter_org(org_admin, "acme"), held.pk)  # once


def test_next_crawl_takes_the_place_of_one_that_is_held(acme, org_admin, environment):
    staff_of(environment, 60)
    switch_on(org_admin)
    crawled()
    without(environment, 40)
    crawled()
    held = crawl_of(STAFF, "held").pk
    without(environment, 1)

    crawled()

    assert crawl_of(STAFF, "held").pk != held
    assert crawl_of(STAFF, "held").people == 19
    assert not populations.accept(enter_org(org_admin, "acme"), held)


BROKEN = {
    "an error on the second page": lambda: httpx.Response(500, json={}),
    "no list": {"message": "hello"},
    "a user without an ID": listing("users", {"username": "nobody"}),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_crawl_with_an_error_is_incomplete_and_what_was_known_stays(acme, org_admin, environment, broken):
    staff_of(environment, 3)
    switch_on(org_admin)
    crawled()
    environment.someone(4)
    environment.page_size = 2
    if callable(BROKEN[broken]):
        environment.at_page = lambda number: environment.status.update({"GET /users": 500} if number == 0 else {})
    else:
        environment.envelope = BROKEN[broken]

    crawled()

    assert names_in(STAFF) == {"user1", "user2", "user3"}
    assert crawl_of(STAFF, "incomplete").problem
    assert CrawledUser.objects.filter(crawl__population_id=STAFF).count() == 3


def test_population_that_outlasts_its_token_starts_again(acme, org_admin, environment):
    org = switch_on(org_admin)
    environment.page_size = 2
    staff_of(environment, 6)
    environment.at_page = lambda number: renew(org) if number == 1 and len(environment.requests) < 5 else None

    crawled()

    assert crawl_of(STAFF).starts == 2
    assert len(names_in(STAFF)) == 6


def test_population_that_outlasts_its_token_three_times_is_incomplete(acme, org_admin, environment):
    org = switch_on(org_admin)
    environment.page_size = 2
    staff_of(environment, 6)
    environment.at_page = lambda number: renew(org) if number == 1 else None

    crawled()

    crawl = crawl_of(STAFF, "incomplete")
    assert (crawl.starts, crawl.people) == (3, 0)
    assert "access token" in crawl.problem
    assert not CrawledUser.objects.filter(crawl=crawl).exists()


def test_each_population_begins_on_a_token_renewed_just_before(acme, org_admin, environment):
    org = switch_on(org_admin)
    environment.someone(1)
    Connection.objects.filter(pk=org.connection_id).update(refresh_token_issued_at=timezone.now() - timedelta(hours=1))
    renewed = []

    def refreshed(connection):
        renewed.append(len(environment.requests))
        Connection.objects.filter(pk=connection.pk).update(refresh_token_issued_at=timezone.now())

    with patch.object(tokens, "renew", refreshed):
        crawled()

    assert renewed == [0]  # before the first page; the second population is read with the same one


STEPS = {
    "after a page": (reading, "_store"),
    "before it is judged": (engine, "_end"),
    "before it is compared": (engine, "_replace"),
    "after it is compared": (changes, "compare"),
    "before the last one is deleted": (engine, "_delete"),
}


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_crawl_of_a_killed_worker_goes_on_or_begins_again(acme, org_admin, environment, monkeypatch, step, when):
    staff_of(environment, 3)
    switch_on(org_admin)
    crawled()
    environment.someone(4)
    module, name = STEPS[step]
    original, kills = getattr(module, name), [True]

    def killed(*args):
        if kills and when == "before":
            kills.clear()
            raise Killed
        original(*args)
        if kills:
            kills.clear()
            raise Killed

    monkeypatch.setattr(module, name, killed)
    with pytest.raises(Killed):
        crawled()

    lease_runs_out()
    engine.run_due()

    assert names_in(STAFF) == {"user1", "user2", "user3", "user4"}
    assert CrawledUser.objects.count() == 4
    assert set(Crawl.objects.values_list("state", flat=True)) == {"current"}


def test_memory_stays_flat_however_large_the_population_is(acme, org_admin, environment):
    """A page at a time is held: rows are written with each, and compared and deleted in parts."""
    environment.page_size = 5
    staff_of(environment, 40)
    switch_on(org_admin)
    sizes = []
    original = CrawledUser.objects.bulk_create

    def counted(rows, **options):
        sizes.append(len(rows))
        return original(rows, **options)

    with patch.object(CrawledUser.objects, "bulk_create", counted):
        crawled()

    assert [size for size in sizes if size] == [5] * 8
    assert len(names_in(STAFF)) == 40


def test_population_that_is_gone_is_forgotten_and_a_new_one_is_crawled(acme, org_admin, environment):
    environment.someone(1)
    environment.someone(2, population=CONTRACTORS)
    org = switch_on(org_admin)
    crawled()
    org.connection.synced_populations.filter(population_id=STAFF).delete()

    engine.run_due()

    assert not CrawledUser.objects.filter(crawl__population_id=STAFF).exists()
    assert names_in(CONTRACTORS) == {"user2"}
