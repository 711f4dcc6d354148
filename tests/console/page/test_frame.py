"""The frame around every page: navigation, connection state, theme and time zone."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from allauth.usersessions.models import UserSession
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.html import escape

from console.models import Membership, Operator, Organization
from console.page.connection_status import status_of
from console.page.frame import NAVIGATION
from pingone_integration.models import Connection
from tests.support.approving import demand
from tests.support.people import make_operator

Browser = Callable[[Operator], Client]

pytestmark = pytest.mark.django_db


def home(client: Client) -> str:
    return client.get("/o/acme/").content.decode()


def destinations(html: str) -> list[str]:
    navigation = re.search(r'<nav popover id="navigation".*?</nav>', html, re.DOTALL)
    assert navigation
    return re.findall(r"<span>([^<]+)</span>", navigation[0])


def test_navigation_shows_an_org_admin_everything(browser_of: Browser, org_admin: Operator, settings: Any) -> None:
    always = [entry.label for entry in NAVIGATION if not entry.needs_provider and not entry.offered]
    assert destinations(home(browser_of(org_admin))) == always
    settings.OIDC_ISSUER = "https://login.acme.test"
    demand(org_admin.organizations.get(), "user.deactivate")  # then there are approvals
    assert destinations(home(browser_of(org_admin))) == [entry.label for entry in NAVIGATION]


def test_navigation_shows_an_agent_no_settings(browser_of: Browser, helpdesk: Operator) -> None:
    html = home(browser_of(helpdesk))

    assert "Users" in destinations(html)
    assert "PingOne" not in destinations(html)
    assert "Settings" not in html


def test_navigation_marks_the_current_page(browser_of: Browser, org_admin: Operator) -> None:
    assert re.search(r'href="/o/acme/" aria-current="page"', home(browser_of(org_admin)))


def test_home_redirects_to_the_only_organization(browser_of: Browser, helpdesk: Operator) -> None:
    assert browser_of(helpdesk).get("/")["Location"] == "/o/acme/"
    assert 'id="organizations"' not in home(browser_of(helpdesk))


def test_home_offers_a_choice_of_several_organizations(
    browser_of: Browser, helpdesk: Operator, globex: Organization
) -> None:
    Membership.objects.create(organization=globex, operator=helpdesk, role=Membership.Role.AUDITOR)

    chooser = browser_of(helpdesk).get("/").content.decode()

    assert re.findall(r'href="(/o/\w+/)"', chooser) == ["/o/acme/", "/o/globex/"]
    assert "Helpdesk agent" in chooser
    assert "Auditor" in chooser
    assert 'href="/o/globex/"' in home(browser_of(helpdesk))


def test_home_explains_that_there_is_no_organization(browser_of: Browser) -> None:
    html = browser_of(make_operator("new@acme.test")).get("/").content.decode()

    assert "You do not belong to an organization yet" in html
    assert "new@acme.test" in html


@pytest.mark.parametrize("state", Connection.State)
def test_header_shows_the_connection_state_in_words(
    browser_of: Browser, helpdesk: Operator, acme: Organization, state: Connection.State
) -> None:
    Connection.objects.update(state=state)
    with timezone.override("UTC"):
        status = status_of(Connection.objects.get())

    header = home(browser_of(helpdesk)).partition("</header>")[0]

    assert f'data-state="{state}"' in header
    assert f"</span>{status.words}</span>" in header
    assert escape(str(status.meaning)) in header


@pytest.mark.parametrize("state", ["not_connected", "reconnect_needed", "disconnected"])
def test_home_without_a_grant_shows_settings_or_a_contact(
    browser_of: Browser, org_admin: Operator, helpdesk: Operator, state: str
) -> None:
    Connection.objects.update(state=state)

    assert 'href="/o/acme/settings/connection/"' in home(browser_of(org_admin)).partition("<main")[2]
    to_the_agent = home(browser_of(helpdesk)).partition("<main")[2]
    assert "Ask an org admin of Acme: admin@acme.test." in to_the_agent
    assert "settings" not in to_the_agent
    assert 'type="search"' not in to_the_agent


def test_temporary_problem_is_shown_with_its_cause(
    browser_of: Browser, helpdesk: Operator, org_admin: Operator
) -> None:
    Connection.objects.update(state="needs_attention", state_cause="PingOne answered 503 <three times>.")

    html = home(browser_of(helpdesk))

    assert "PingOne answered 503 &lt;three times&gt;." in html
    assert 'type="search"' in html


@pytest.mark.parametrize("state", ["needs_attention", "reconnect_needed", "disconnected"])
@pytest.mark.parametrize("page", ["/o/acme/", "/o/acme/audit/"])
def test_bad_connection_state_is_shown_with_cause_time_and_contact(
    browser_of: Browser, org_admin: Operator, auditor: Operator, state: str, page: str
) -> None:
    since = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
    Connection.objects.update(state=state, state_cause="Its session ended.", state_changed_at=since)

    for operator in (org_admin, auditor):
        main = browser_of(operator).get(page).content.decode().partition("<main")[2]
        assert "Its session ended." in main
        assert ">24 Nov 2026, 09:30</time>" in main
        assert ("Ask an org admin of Acme: admin@acme.test." in main) == (operator == auditor)
        assert ('href="/o/acme/settings/connection/"' in main) == (operator == org_admin)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_chosen_theme_is_rendered_by_the_server(client: Client, theme: str) -> None:
    assert f'data-bs-theme="{theme}"' not in client.get("/accounts/login/").content.decode()

    chosen = client.post("/theme/", {"theme": theme, "next": "/accounts/login/?next=/o/acme/"})

    assert chosen["Location"] == "/accounts/login/?next=/o/acme/"
    assert f'data-bs-theme="{theme}"' in client.get("/accounts/login/").content.decode()


@pytest.mark.parametrize("theme", ["", "pink", '"><script>'])
def test_unknown_theme_is_ignored(client: Client, theme: str) -> None:
    assert "theme" not in client.post("/theme/", {"theme": theme}).cookies

    client.cookies["theme"] = theme
    assert 'data-theme-choice="auto"' in client.get("/accounts/login/").content.decode()


@pytest.mark.parametrize(
    ("cookie", "shown"),
    [
        ("Asia/Tokyo", "25 Nov 2026, 08:30"),
        ("Asia/Calcutta", "25 Nov 2026, 05:00"),  # the old name, which browsers still send
        ("", "24 Nov 2026, 23:30"),
        ("Europe/Nowhere", "24 Nov 2026, 23:30"),
        ("../../etc/passwd", "24 Nov 2026, 23:30"),
        ("/etc/localtime", "24 Nov 2026, 23:30"),
        ("<script>", "24 Nov 2026, 23:30"),
        ("A" * 3000, "24 Nov 2026, 23:30"),
    ],
)
def test_times_use_the_time_zone_of_the_browser(
    browser_of: Browser, helpdesk: Operator, cookie: str, shown: str
) -> None:
    Connection.objects.update(consented_at=datetime(2026, 11, 24, 23, 30, tzinfo=UTC))
    browser = browser_of(helpdesk)
    browser.cookies["timezone"] = cookie

    html = home(browser)

    assert f'title="2026-11-24 23:30:00 UTC">{shown}</time>' in html


def test_hostile_names_are_escaped_in_the_frame(browser_of: Browser, org_admin: Operator) -> None:
    hostile = "<script>alert(1)</script>{{ 7|add:7 }}"
    Organization.objects.update(name=hostile)
    Operator.objects.update(name=hostile)
    Connection.objects.update(state="reconnect_needed", state_cause=hostile, consented_by=hostile)

    html = home(browser_of(org_admin))

    assert "<script>alert" not in html
    assert html.count("{{ 7|add:7 }}") >= 3


def test_poll_does_not_update_last_seen(browser_of: Browser, helpdesk: Operator) -> None:
    browser = browser_of(helpdesk)
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        browser.get("/o/acme/?was=running", headers={"HX-Request": "true"})
        assert not UserSession.objects.exists()

        browser.get("/o/acme/", headers={"HX-Request": "true"})
        assert (timezone.now() - UserSession.objects.get().last_seen_at).seconds < 60


def test_page_soon_after_another_writes_nothing(browser_of: Browser, helpdesk: Operator) -> None:
    browser = browser_of(helpdesk)
    home(browser)

    with CaptureQueriesContext(connection) as asked:
        home(browser)

    assert asked.captured_queries
    assert [query["sql"] for query in asked.captured_queries if not query["sql"].startswith("SELECT")] == []
