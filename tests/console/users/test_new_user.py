"""The new-user form: the request, duplicates, follow-up actions and lost answers."""

import json
import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from console.models import AuditEntry, Operator, TicketPolicy
from pingone_integration.models import SyncedPopulation
from tests.support.answers import ADA, BO, ENGINEERS, HOSTILE_NAMES, STAFF, ada, bo, error, listing, shows_joined_group
from tests.support.people import ENVIRONMENT

NEW = "/o/acme/users/new/"
HTMX = {"HX-Request": "true", "HX-Target": "new-user"}
SCHEMA = "5c000000-0000-4000-8000-000000000001"


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    cache.clear()


@pytest.fixture
def environment(pingone: Any) -> Any:
    """Mock the data that the form reads from PingOne. Each test mocks its own writes."""
    pingone._assert_all_called = False
    pingone.get("/schemas").respond(json=listing("schemas", {"id": SCHEMA, "name": "User"}))
    cost_center = {"name": "costCenter", "displayName": "Cost center", "schemaType": "CUSTOM", "type": "STRING"}
    pingone.get(f"/schemas/{SCHEMA}/attributes").respond(json=listing("attributes", cost_center))
    pingone.get("/populations").respond(
        json=listing(
            "populations",
            {"id": str(BO), "name": "Alumni"},
            {"id": str(STAFF), "name": "Staff", "default": True},
        )
    )
    pingone.get("/groups").respond(
        json=listing("groups", {"id": str(ENGINEERS), "name": "Engineers"}, {"id": str(STAFF), "name": "All"})
    )
    pingone.get(f"/groups/{ENGINEERS}").respond(json={"id": str(ENGINEERS), "name": "Engineers"})
    pingone.get(f"/groups/{STAFF}").respond(json={"id": str(STAFF), "name": "All"})
    pingone.get(f"/users/{ADA}").respond(json=ada())
    for group in (ENGINEERS, STAFF):
        shows_joined_group(pingone, ADA, group)
    return pingone


@pytest.fixture
def create(browser_of: Callable[..., Client], org_admin: Operator) -> Callable[..., Any]:
    """Return a function that submits the form as an org admin."""
    client = browser_of(org_admin)

    def create(*, htmx: bool = False, **fields: Any) -> Any:
        data = {"submission": str(uuid4()), "username": "ada.berg", "population_id": str(STAFF)} | fields
        return client.post(NEW, data, headers=HTMX if htmx else {})

    create.client = client  # type: ignore[attr-defined]
    return create


def latest(**found: Any) -> AuditEntry:
    return AuditEntry.objects.current().get(**found)


def notices(client: Client) -> str:
    page: str = client.get(f"/o/acme/users/{ADA}/").text
    return page[page.index('id="notices"') : page.index('class="page-heading"')]


def submission_in(page: str) -> str:
    found = re.search(r'name="submission" value="([^"]+)"', page)
    assert found
    return found[1]


def test_user_list_links_to_the_form_only_with_permission(browser_of, org_admin, helpdesk, environment):
    environment.get("/users").respond(json=listing("users"))

    assert f'href="{NEW}"' in browser_of(org_admin).get("/o/acme/users/").text
    assert f'href="{NEW}"' not in browser_of(helpdesk).get("/o/acme/users/").text
    assert browser_of(helpdesk).get(NEW).status_code == 403


def test_population_choices_show_language_and_password_policy(create, environment, acme):
    population = {"id": str(BO), "name": "Alumni", "preferredLanguage": "sv"}
    environment.get("/populations").respond(json=listing("populations", population))
    SyncedPopulation.objects.create(
        connection=acme.connection,
        environment_id=ENVIRONMENT,
        population_id=BO,
        name="Alumni",
        is_default=False,
        password_policy="Strict",
        synced_at=timezone.now(),
    )

    page = create.client.get(NEW).text

    assert ">Alumni (language sv, password policy Strict)</option>" in page


def test_form_has_the_default_population_and_custom_attributes(create, environment):
    page = create.client.get(NEW).text

    assert re.search(rf'<option value="{STAFF}">Staff \(default\)</option>\s*<option value="{BO}">Alumni', page)
    assert "Cost center" in page
    assert "Engineers" in page
    assert not AuditEntry.objects.exists()


def test_user_is_created_with_the_filled_in_fields(create, environment):
    wire = environment.post("/users").respond(201, json=ada(costCenter="42"))

    response = create(given_name="Ada", country_code="SE", locality="", ticket="INC1", **{"custom.costCenter": "42"})

    assert (response.status_code, response.url) == (302, f"/o/acme/users/{ADA}/")
    assert json.loads(wire.calls.last.request.content) == {
        "username": "ada.berg",
        "name": {"given": "Ada"},
        "address": {"countryCode": "SE"},
        "costCenter": "42",
        "population": {"id": str(STAFF)},
    }
    entry = latest()
    assert (entry.action, entry.outcome, entry.subject_id, entry.ticket) == (
        "user.create",
        "succeeded",
        str(ADA),
        "INC1",
    )
    assert "Created Ada Berg. PingOne did not save: country_code." in notices(create.client)


@pytest.mark.parametrize(("typed", "theirs", "asked"), [("INC2", "INC2", False), ("", "", True)])
def test_ticket_of_a_creation_is_that_of_the_new_user(create, environment, typed, theirs, asked):
    environment.post("/users").respond(201, json=ada())
    create.client.post("/o/acme/working-on/", {"ticket": "INC1", "user_id": str(BO)})

    create(given_name="Ada", ticket=typed)

    page = create.client.get(f"/o/acme/users/{ADA}/").text
    assert f'name="ticket" value="{theirs}"' in page
    assert ("You worked on <bdi>INC1</bdi> for another user." in page) is asked


def test_form_redirects_to_the_new_user_with_htmx(create, environment):
    environment.post("/users").respond(201, json=ada())

    assert create(htmx=True)["HX-Redirect"] == f"/o/acme/users/{ADA}/"


def test_groups_and_email_are_separate_actions_after_the_creation(create, environment):
    environment.post("/users").respond(201, json=ada())
    refused = httpx.Response(400, json=error("INVALID_DATA", "CONSTRAINT_VIOLATION", "id"))
    environment.post(f"/users/{ADA}/memberOfGroups").mock(side_effect=[refused, httpx.Response(201, json={})])
    mail = environment.post(f"/users/{ADA}/emailVerification").respond(json={})

    response = create(join=[str(ENGINEERS), str(STAFF)], verify="on")

    assert response.status_code == 302
    assert mail.called
    assert [(entry.action, entry.outcome) for entry in AuditEntry.objects.current().order_by("started_at")] == [
        ("user.create", "succeeded"),
        ("group.add", "failed"),
        ("group.add", "succeeded"),
        ("user.verify-email", "succeeded"),
    ]
    told = notices(create.client)
    assert "Could not add Ada Berg to Engineers." in told
    assert "/o/acme/troubleshooting/#kind-" in told
    assert "Added Ada Berg to All." in told
    assert "Sent a verification email to Ada Berg." in told


def test_follow_up_actions_stop_after_an_unknown_outcome(create, environment):
    environment.post("/users").respond(201, json=ada())
    joined = environment.post(f"/users/{ADA}/memberOfGroups").mock(side_effect=httpx.ReadTimeout("too late"))

    create(join=[str(ENGINEERS), str(STAFF)])

    assert joined.call_count == 1
    told = notices(create.client)
    assert "We do not know whether Ada Berg was added to Engineers." in told
    assert "No answer from PingOne: the change may have been made." in told
    assert "Could not add Ada Berg to All. Skipped: PingOne stopped responding" in told


def test_double_submit_creates_one_user(create, environment):
    wire = environment.post("/users").respond(201, json=ada())
    submission = str(uuid4())
    create(submission=submission)

    again = create(submission=submission)

    assert wire.call_count == 1
    assert again.url == f"/o/acme/users/{ADA}/"
    assert "This was already done." in notices(create.client)


def test_taken_username_is_reported_with_a_link_to_the_user(create, environment):
    taken = error("INVALID_DATA", "UNIQUENESS_VIOLATION", "username")
    environment.post("/users").respond(400, json=taken)
    search = environment.get("/users").respond(json=listing("users", ada()))

    response = create(title="Chief")

    assert response.status_code == 409
    assert re.search(r'name="username" value="ada.berg"[^>]*aria-invalid="true"', response.text)
    assert "This already exists" in response.text
    assert "This is already taken." in response.text
    assert f'href="/o/acme/users/{ADA}/"' in response.text
    assert 'value="Chief"' in response.text
    assert search.calls.last.request.url.params["filter"] == 'username eq "ada.berg"'


def test_corrected_form_is_a_new_attempt(create, environment):
    environment.post("/users").respond(400, json=error("INVALID_DATA", "INVALID_VALUE", "address.countryCode"))
    refused = create(country_code="XX").text
    assert re.search(r'name="country_code" value="XX"[^>]*aria-invalid="true"', refused)
    environment.post("/users").respond(201, json=ada())

    response = create(country_code="SE", submission=submission_in(refused))

    assert response.status_code == 302


def test_lost_answer_requires_a_check_before_a_retry(create, environment):
    wire = environment.post("/users").mock(side_effect=httpx.ReadTimeout("too late"))

    lost = create(title="Chief")

    assert 'name="look"' in lost.text
    assert ">Create user</button>" not in lost.text
    assert 'value="Chief"' in lost.text
    assert latest().outcome == "unknown"

    again = create(title="Chief", submission=submission_in(lost.text))
    assert wire.call_count == 1
    assert 'name="look"' in again.text


@pytest.mark.parametrize("found", [True, False], ids=["there", "not there"])
def test_check_after_a_lost_answer_finds_the_user(create, environment, found):
    environment.post("/users").mock(side_effect=httpx.ReadTimeout("too late"))
    lost = submission_in(create().text)
    environment.get("/users").respond(json=listing("users", *([ada()] if found else [])))

    response = create(look="1", submission=lost)

    assert response.status_code == 200
    assert (f'href="/o/acme/users/{ADA}/"' in response.text) is found
    assert ("No user named <bdi>ada.berg</bdi> was found." in response.text) is not found
    assert ">Create user</button>" in response.text
    assert submission_in(response.text) != lost


def test_failed_check_after_a_lost_answer_blocks_a_retry(create, environment):
    environment.get("/users").mock(side_effect=httpx.ConnectError("no route"))

    response = create(look="1")

    assert 'name="look"' in response.text
    assert ">Create user</button>" not in response.text


def test_form_keeps_its_input_during_an_outage(create, pingone):
    pingone.route().mock(side_effect=httpx.ConnectError("no route"))

    response = create(title="Chief")

    assert response.status_code == 504
    assert 'value="Chief"' in response.text
    assert ">Create user</button>" in response.text  # the request did not leave this server, so nothing happened


def test_input_survives_an_expired_session(create, org_admin, environment):
    page = create.client.get(NEW).text
    mark = re.search(r'name="typed_by" value="([^"]+)"', page)
    assert mark
    browser = Client()

    expired = browser.post(NEW, {"typed_by": mark[1], "username": "new.person", "join": [str(ENGINEERS)]})
    browser.force_login(org_admin)
    again = browser.get(NEW).text

    assert expired["Location"] == f"/accounts/login/?next={NEW}"
    assert 'name="username" value="new.person"' in again
    assert re.search(rf'value="{ENGINEERS}"[^>]* checked', again)
    assert not AuditEntry.objects.filter(action="user.create").exists()


def test_creation_needs_a_required_ticket(create, environment, acme):
    TicketPolicy.objects.create(organization=acme, action="user.create", requirement="required")

    assert create().status_code == 422
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(
    ("query", "filter_sent"),
    [
        ({"username": 'a"b'}, r'username eq "a\"b"'),
        ({"username": "ada", "email": "a@b.test"}, 'username eq "ada" or email eq "a@b.test"'),
        ({"email": "a@b.test"}, 'email eq "a@b.test"'),
    ],
)
def test_search_for_existing_users_needs_one_call(browser_of, org_admin, pingone, query, filter_sent):
    search = pingone.get("/users").respond(json=listing("users", ada(), bo()))

    response = browser_of(org_admin).get(f"{NEW}existing/", query, headers=HTMX)

    assert search.calls.last.request.url.params["filter"] == filter_sent
    assert search.call_count == 1
    assert f'href="/o/acme/users/{ADA}/"' in response.text
    assert "<html" not in response.text


@pytest.mark.parametrize("query", [{}, {"username": " "}, {"email": "ada"}])
def test_search_for_existing_users_needs_a_username_or_email(browser_of, org_admin, pingone, query):
    response = browser_of(org_admin).get(f"{NEW}existing/", query, headers=HTMX)

    assert response.status_code == 200
    assert response.text.strip() == ""


def test_failed_search_for_existing_users_shows_nothing(browser_of, org_admin, pingone):
    pingone.get("/users").mock(side_effect=httpx.ReadTimeout("too late"))

    response = browser_of(org_admin).get(f"{NEW}existing/", {"username": "ada"}, headers=HTMX)

    assert (response.status_code, response.text.strip()) == (200, "")


def test_hostile_names_are_escaped(create, environment):
    name = " ".join(HOSTILE_NAMES.values())[:2000]
    environment.get("/users").respond(content=json.dumps(listing("users", ada(username=name, name={"given": name}))))
    environment.get("/groups").respond(content=json.dumps(listing("groups", {"id": str(ENGINEERS), "name": name})))
    environment.get("/populations").respond(
        content=json.dumps(listing("populations", {"id": str(STAFF), "name": name}))
    )
    environment.post("/users").respond(400, json=error("INVALID_DATA", "UNIQUENESS_VIOLATION", "username"))

    pages = create.client.get(NEW).text + create(title=name.encode("utf-8", "replace").decode()).text

    assert "<script>alert" not in pages
    assert "<img src=x" not in pages
