"""What pages, emails and commands say of the connection, for each of its states: one thing, everywhere, and true."""

import json
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import unescape
from io import StringIO
from typing import Any

import pytest
import respx
import time_machine
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from console.models import Operator, Organization
from console.page.connection_status import status_of
from pingone_integration.calls import connection_states
from pingone_integration.errors import ConnectionFailure, TokenRefreshFailure, Unavailable
from pingone_integration.models import AuthorizationRequest, Connection
from tests.support.answers import ADA, ada, answer_panels, error, listing
from tests.support.outbox import sent_emails
from tests.support.template_text import ShownText
from tests.support.troubleshooting import HTMX

Browser = Callable[[Operator], Client]

State = Connection.State
NOW = datetime(2026, 11, 27, 13, 36, tzinfo=UTC)
ENDS = NOW + timedelta(minutes=34)
UNTIL = "works until 14:10 UTC, then reconnect"
TOKENLESS = {"sealed_access_token": "", "sealed_refresh_token": "", "access_token_expires_at": None}
FAILED = {"state_kind": "token-refresh-failure", "state_cause": "The refresh token was revoked."}

# Sentences about the connection, by what they claim. No page may make a claim that its situation does not allow.
CLAIMS = {
    "works": (
        r"PingOne: connected|(?<!not )\bis connected|PingOne responded|PingOne is connected|^Connected$"
        r"|Nothing, as far as the console can tell"
    ),
    "fails": r"needs attention|is not responding|could not be reached|(?<!calls still work, and )The console keeps",
    "no role": r"refuses to show users|does not allow",
    "renewal failed": r"renewal of the access token failed|Calls still work",
    "ends": (
        r"works until \d|Everything works until|does not renew the access"
        r"|^No longer accepted: |^None: the connection ends"
    ),
    "cannot be renewed either": r"cannot be renewed either",
    "over": r"reconnect needed|has ended|needs to be reconnected",
    "never": r"not connected since|PingOne: not connected|^Not connected$|No administrator has connected",
    "off": r"PingOne: disconnected|^Disconnected$|disconnected PingOne|Disconnected here",
    "awaited": r"has not sent them back yet",
    "unconnected": r"PingOne is not connected|This organization is not connected",
}


@dataclass(frozen=True, kw_only=True)
class Situation:
    """The columns of a connection, the words of its status, and the claims that may be made of it."""

    columns: dict[str, Any]
    words: str
    claims: set[str]
    agent_may_search: bool
    is_awaited: bool = False  # whether the page may tell of a Connect that has not come back
    state: str = field(default="")


SITUATIONS = {
    "connected": Situation(columns={}, words="connected", claims={"works"}, agent_may_search=True),
    "connected, expired token": Situation(
        columns={"access_token_expires_at": NOW - timedelta(hours=3)},
        words="connected",
        claims={"works"},
        agent_may_search=True,
    ),
    "call failed": Situation(
        columns={"calls_failing_kind": ConnectionFailure.kind, "calls_turned_at": NOW},
        words="needs attention",
        claims={"fails"},
        agent_may_search=True,
    ),
    "roles lost": Situation(
        columns={"calls_failing_kind": "missing-permission", "calls_turned_at": NOW},
        words="needs attention",
        claims={"fails", "no role"},
        agent_may_search=True,
    ),
    "calls paused": Situation(
        columns={
            "state": State.NEEDS_ATTENTION,
            "state_kind": "unavailable",
            "state_cause": str(Unavailable.cause),
            "calls_paused_until": NOW + timedelta(seconds=5),
        },
        words="needs attention",
        claims={"fails"},
        agent_may_search=True,
    ),
    "renewal failed early": Situation(
        columns={
            "state": State.NEEDS_ATTENTION,
            "state_kind": "unavailable",
            "state_cause": str(Unavailable.cause),
            "lease_until": NOW - timedelta(minutes=1),
        },
        words="needs attention",
        claims={"fails", "renewal failed"},
        agent_may_search=True,
    ),
    "ending": Situation(
        columns={"state": State.ENDING, **FAILED},
        words=UNTIL,
        claims={"ends"},
        agent_may_search=True,
        is_awaited=True,
    ),
    "ending, call failed": Situation(
        columns={"state": State.ENDING, **FAILED, "calls_failing_kind": "unavailable", "calls_turned_at": NOW},
        words="needs attention",
        claims={"fails", "ends", "cannot be renewed either"},
        agent_may_search=True,
        is_awaited=True,
    ),
    "no refresh token": Situation(
        columns={"sealed_refresh_token": ""}, words=UNTIL, claims={"ends"}, agent_may_search=True, is_awaited=True
    ),
    "ended, not noticed": Situation(
        columns={"state": State.ENDING, **FAILED, "access_token_expires_at": NOW - timedelta(minutes=1)},
        words="reconnect needed",
        claims={"over"},
        agent_may_search=False,
        is_awaited=True,
    ),
    "no refresh token, expired": Situation(
        columns={"sealed_refresh_token": "", "access_token_expires_at": NOW - timedelta(minutes=1)},
        words="reconnect needed",
        claims={"over"},
        agent_may_search=False,
        is_awaited=True,
    ),
    "reconnect needed": Situation(
        columns={"state": State.RECONNECT_NEEDED, **FAILED},
        words="reconnect needed",
        claims={"over"},
        agent_may_search=False,
        is_awaited=True,
    ),
    "disconnected": Situation(
        columns={"state": State.DISCONNECTED, **TOKENLESS, "consented_at": None},
        words="disconnected",
        claims={"off", "unconnected"},
        agent_may_search=False,
        is_awaited=True,
    ),
    "never connected": Situation(
        columns={
            "state": State.NOT_CONNECTED,
            **TOKENLESS,
            "consented_at": None,
            "managed_environment_id": None,
            "state_changed_at": None,
        },
        words="not connected",
        claims={"never", "unconnected"},
        agent_may_search=False,
        is_awaited=True,
    ),
}
PAGES = (
    "",
    "users/",
    f"users/{ADA}/",
    "groups/",
    "populations/",
    "audit/",
    "call-api/",
    "troubleshooting/",
    "settings/connection/",
    "settings/connection/disconnect/",
    "settings/members/",
)
PAGES_OF_AGENTS = ("", f"users/{ADA}/", "troubleshooting/")
# Parts of pages that tell of other times, or of errors in general.
ELSEWHERE = re.compile(
    r'<section class="card" (?:id="kinds"|id="lately"|aria-labelledby="history").*?</section>'
    r'|<nav class="purposes".*?</nav>',
    re.DOTALL,
)


@pytest.fixture(autouse=True)
def _now() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


def put(acme: Organization, situation: Situation) -> Connection:
    """Put the connection into the situation, with a Connect pressed a minute ago and an older approval."""
    before = {"access_token_expires_at": ENDS, "consented_at": NOW - timedelta(days=2), "consented_by": "Mara"}
    changed = {"state_changed_at": NOW - timedelta(minutes=2)}
    Connection.objects.filter(pk=acme.connection_id).update(**(before | changed | situation.columns))
    AuthorizationRequest.objects.create(state_digest="x", connection_id=acme.connection_id, bound_to="y")
    acme.connection.refresh_from_db()
    return acme.connection


def texts_of(html: str) -> list[str]:
    shown = ShownText()
    shown.feed(ELSEWHERE.sub("", html).partition("<body")[2])
    return [" ".join(text.split()) for text in shown.texts if text.strip()]


def claims_in(texts: list[str]) -> dict[str, list[str]]:
    found = {
        claim: [text for text in texts if re.search(pattern, text, re.IGNORECASE)] for claim, pattern in CLAIMS.items()
    }
    return {claim: told for claim, told in found.items() if told}


@pytest.mark.parametrize("name", SITUATIONS)
def test_no_page_contradicts_the_status_of_the_connection(
    browser_of: Browser, org_admin: Operator, helpdesk: Operator, acme: Organization, name: str
) -> None:
    situation = SITUATIONS[name]
    connection = put(acme, situation)
    allowed = situation.claims | ({"awaited"} if situation.is_awaited else set())
    with respx.mock(assert_all_called=False) as wire:
        # PingOne does as the situation says, so that pages that call it do not change the situation.
        failing = situation.columns.get("calls_failing_kind")
        refused = error("ACCESS_FAILED", "INSUFFICIENT_PERMISSIONS")
        answers: dict[str, Any] = {"connection-failure": {"status_code": 503}, "unavailable": {"status_code": 503}}
        answers["missing-permission"] = {"status_code": 403, "json": refused}
        wire.get(url__regex=rf".*/users/{ADA}(\?.*)?$").respond(**answers.get(failing or "", {"json": ada()}))
        for what in ("users", "groups", "populations"):
            answer = answers.get(failing or "", {"json": listing(what)})
            wire.get(url__regex=rf".*/{what}\b.*").respond(**answer)
        wire.route().respond(503)
        for operator, pages in ((org_admin, PAGES), (helpdesk, PAGES_OF_AGENTS)):
            browser = browser_of(operator)
            for page in pages:
                if "expired token" in name and page.startswith(("users", "groups")):
                    continue  # would renew the token
                Connection.objects.filter(pk=connection.pk).update(**situation.columns)
                response = browser.get(f"/o/acme/{page}", follow=True)
                texts = texts_of(response.text)
                claims = claims_in(texts)
                header = unescape(response.text.partition("</header>")[0])
                assert f"</span>{situation.words}</span>" in header, (name, page)
                if page == "call-api/" and response.status_code >= 400:
                    claims.pop("never", None), claims.pop("over", None)
                assert claims.keys() <= allowed, (name, page, claims)
                assert claims or situation.claims == {"works"}, (name, page)
                if page == "settings/connection/" and operator == org_admin:
                    assert ("awaited" in claims) == situation.is_awaited, name
                if page == "":
                    assert ('type="search"' in response.text) == situation.agent_may_search


@pytest.mark.parametrize("name", SITUATIONS)
def test_commands_say_the_same_as_the_pages(acme: Organization, name: str) -> None:
    situation = SITUATIONS[name]
    connection = put(acme, situation)
    out = StringIO()

    with respx.mock as wire, suppress(SystemExit):
        wire.route().respond(503)
        call_command("check_connection", "acme", stdout=out)

    assert out.getvalue().splitlines()[0] == f"PingOne: {situation.words}"
    if connection.can_be_renewed:
        return
    out = StringIO()
    put_again = Connection.objects.filter(pk=connection.pk)
    put_again.update(**({"state": connection.state, "state_kind": connection.state_kind} | situation.columns))
    with suppress(CommandError):
        call_command("keep_connections_alive", stdout=out, stderr=out)
    assert out.getvalue().splitlines()[0] == f"acme: {situation.words}, skipped"


def test_command_names_the_end_in_json(acme: Organization) -> None:
    put(acme, SITUATIONS["ending"])
    out = StringIO()

    with respx.mock as wire, suppress(SystemExit):
        wire.route().respond(503)
        call_command("check_connection", "acme", "--json", stdout=out)

    told = json.loads(out.getvalue())
    assert told["works_until"] == "2026-11-27T14:10:00+00:00"


@pytest.mark.django_db(transaction=True)
def test_email_says_until_when_the_connection_works(acme: Organization, org_admin: Operator) -> None:
    connection = put(acme, SITUATIONS["connected"])

    connection_states.enter(connection, State.ENDING, TokenRefreshFailure())
    with time_machine.travel(ENDS, tick=False):
        connection.refresh_from_db()
        connection_states.end(connection)

    ending, ended = sent_emails()
    assert ending.subject == f"Acme's connection to PingOne: {UNTIL}"
    assert f"is now: {UNTIL}" in str(ending.body)
    assert "Everything works until then." in str(ending.body)
    assert ended.subject == "Acme's connection to PingOne: reconnect needed"
    assert f"Cause:  {TokenRefreshFailure.cause}" in str(ended.body)


@pytest.mark.parametrize(
    ("hours", "zone", "told"),
    [
        (0.5, "Europe/Stockholm", "works until 15:06, then reconnect"),
        (0.5, "UTC", "works until 14:06 UTC, then reconnect"),
        (30, "UTC", "works until 28 Nov 2026, 19:36 UTC, then reconnect"),
    ],
)
def test_end_is_told_in_the_time_zone_of_the_reader_and_with_another_day(hours: float, zone: str, told: str) -> None:
    connection = Connection(state=State.ENDING, access_token_expires_at=NOW + timedelta(hours=hours))

    with timezone.override(zone):
        assert str(status_of(connection).words) == told


# A page whose parts are swapped


def shown(client: Client, url: str) -> dict[str, str]:
    """Return the headers of htmx and console.js for a page that shows the present status."""
    page = client.get(url).text
    key = re.search(r'data-status="([^"]*)"', page)
    assert key
    return {"HX-Request": "true", "X-Connection-Status": key[1], "X-Connection-Strip": "shown"}


def test_fragment_brings_the_status_when_pingone_stops_and_when_it_is_back(
    browser_of: Browser, helpdesk: Operator, org_admin: Operator, pingone: respx.MockRouter
) -> None:
    agent = browser_of(helpdesk)
    users = pingone.get("/users").respond(json=listing("users"))
    pingone.get("/populations").respond(json=listing("populations"))
    headers = shown(agent, "/o/acme/users/")
    assert "connection-status" not in agent.get("/o/acme/users/?q=ada", headers=headers).text

    users.respond(500)
    stopped = agent.get("/o/acme/users/?q=ada", headers=headers).text
    assert 'id="connection-status"' in stopped
    assert 'data-state="needs_attention"' in stopped
    assert 'id="connection-strip" hx-swap-oob="true"' in stopped
    headers = shown(agent, "/o/acme/")
    assert "connection-status" not in agent.get("/o/acme/users/?q=ada", headers=headers).text

    users.respond(json=listing("users"))
    back = agent.get("/o/acme/users/?q=ada", headers=headers).text
    assert 'data-state="connected"' in back
    assert "PingOne: needs attention" not in back


def test_page_shows_the_status_after_its_own_calls(
    browser_of: Browser, helpdesk: Operator, pingone: respx.MockRouter
) -> None:
    agent = browser_of(helpdesk)
    one = pingone.get(f"/users/{ADA}").respond(503)
    assert 'data-state="needs_attention"' in agent.get(f"/o/acme/users/{ADA}/").text

    one.respond(json=ada())
    assert 'data-state="connected"' in agent.get(f"/o/acme/users/{ADA}/").text


def test_panels_in_one_page_that_fail_change_the_status_of_the_page(
    browser_of: Browser, helpdesk: Operator, pingone: respx.MockRouter
) -> None:
    answer_panels(pingone)
    pingone.get(f"/users/{ADA}").respond(json=ada())
    pingone.get(f"/users/{ADA}/sessions").respond(500)

    assert 'data-state="needs_attention"' in browser_of(helpdesk).get(f"/o/acme/users/{ADA}/?panels=all").text


def test_status_costs_a_healthy_page_no_query(
    browser_of: Browser, helpdesk: Operator, pingone: respx.MockRouter, django_assert_num_queries: Any
) -> None:
    agent = browser_of(helpdesk)
    pingone.get("/users").respond(json=listing("users"))
    pingone.get("/populations").respond(json=listing("populations"))
    headers = shown(agent, "/o/acme/users/")

    with django_assert_num_queries(3):  # session, operator, membership with connection
        agent.get("/o/acme/users/?q=ada", headers=headers)


def test_call_api_without_a_connection_says_so(browser_of: Browser, org_admin: Operator, acme: Organization) -> None:
    put(acme, SITUATIONS["never connected"])

    for response in (
        browser_of(org_admin).get("/o/acme/call-api/"),
        browser_of(org_admin).post("/o/acme/call-api/", {"method": "GET", "path": "/users"}),
        browser_of(org_admin).get("/o/acme/call-api/", headers=HTMX),
    ):
        assert response.status_code == 409
        assert "This organization is not connected to PingOne" in response.text
        assert "PingOne is connected" not in response.text


def test_approval_settles_earlier_attempts_to_connect(
    browser_of: Browser, org_admin: Operator, acme: Organization
) -> None:
    put(acme, SITUATIONS["reconnect needed"])
    settings = "/o/acme/settings/connection/"
    assert "has not sent them back yet" in browser_of(org_admin).get(settings).text

    Connection.objects.update(consented_at=NOW + timedelta(seconds=1))

    assert "has not sent them back yet" not in browser_of(org_admin).get(settings).text
