"""The troubleshooting page: checks, capabilities, recent failures, explained errors and the support text."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
import respx
import time_machine
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone, translation

from console.actions.catalogue import ACTIONS, BY_KEY
from console.audit.chain import append
from console.failures.next_step import resolution_of
from console.models import AuditEntry, Operator, Organization
from pingone_integration import errors
from pingone_integration.checks import CHECKS, network
from pingone_integration.connection.open_api import open_api
from pingone_integration.errors import PingOneError
from pingone_integration.models import Connection
from tests.support.answers import ADA, error, listing
from tests.support.people import ADMINISTRATORS, API_URL, AUTH_URL, ENVIRONMENT
from tests.support.sign_on import ISSUER, MARA, discoverable, tokens
from tests.support.troubleshooting import EVERY_ROW, FORBIDDEN, HTMX, MANAGED, PAGE, PERSON, states, steps, works

Browser = Callable[[Operator], Client]


@pytest.fixture
def connection(acme: Organization) -> Connection:
    """Record Mara as the administrator who connected Acme."""
    acme.connection.consented_by = "Mara Canary Lind"
    acme.connection.consented_by_id = str(MARA)
    acme.connection.consented_at = timezone.now() - timedelta(days=2)
    acme.connection.save()
    return acme.connection


@pytest.fixture
def admin(connection: Connection, browser_of: Browser, org_admin: Operator) -> Client:
    return browser_of(org_admin)


@pytest.fixture
def agent(connection: Connection, browser_of: Browser, helpdesk: Operator, org_admin: Operator) -> Client:
    return browser_of(helpdesk)


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Iterator[respx.MockRouter]:
    """Mock PingOne with hosts that have DNS names and valid certificates."""
    monkeypatch.setattr(network, "_addresses", lambda _: ["192.0.2.7"])
    monkeypatch.setattr(network, "_certificate_ends", lambda _: timezone.now() + timedelta(days=90))
    with respx.mock(assert_all_called=False) as router:
        yield router


# The page


def test_checks_are_not_run_when_the_page_opens(admin: Client, pingone: respx.MockRouter) -> None:
    html = admin.get(PAGE).text

    assert states(html) == {check.key: "not-run" for check in CHECKS}
    assert "22 checks" in html
    assert not pingone.calls


def test_agent_sees_state_cause_and_contact_but_no_checks(agent: Client, connection: Connection) -> None:
    since = timezone.now() - timedelta(hours=3)
    Connection.objects.update(
        state=Connection.State.RECONNECT_NEEDED,
        state_kind="token-refresh-failure",
        state_cause="The refresh token expired.",
        state_changed_at=since,
    )

    html = agent.get(PAGE).text

    assert "PingOne: reconnect needed" in html
    assert "The refresh token expired." in html
    assert f"{since:%Y-%m-%dT%H:%M}" in html
    assert "Ask an org admin of Acme: admin@acme.test." in html
    assert f'href="{PAGE}#kind-token-refresh-failure"' in html
    assert "All errors" in html
    assert states(html) == {}
    for heading in ("What this connection can do", "Copy for support", "Failures in the last 30 days"):
        assert heading not in html


def test_page_is_linked_from_navigation_settings_and_banner(
    admin: Client, agent: Client, connection: Connection
) -> None:
    assert f'<a class="menu-item" href="{PAGE}">' in agent.get("/o/acme/").text
    assert f'class="btn" href="{PAGE}"' in admin.get("/o/acme/settings/connection/").text

    Connection.objects.update(state=Connection.State.NEEDS_ATTENTION)

    assert f'class="btn btn-sm" href="{PAGE}"' in agent.get("/o/acme/").text


# The checks


def test_checks_run_in_one_request_without_javascript(admin: Client, wire: respx.MockRouter) -> None:
    works(wire, "dir:create:user", "dir:update:user")

    html = admin.get(f"{PAGE}checks/").text

    assert states(html) == {check.key: "passed" for check in CHECKS} | {
        "change-groups": "failed",
        "manage-passwords": "failed",
        "sign-on-due": "cannot-tell",
        "clock": "cannot-tell",
    }
    assert "18 passed, 2 failed, 2 unknown." in html
    assert "Missing: dir:create:groupMembership" in html
    assert f'href="{PAGE}#kind-missing-permission"' in html
    assert states(admin.get(PAGE).text) == states(html), "the page forgets what was found"


def test_checks_run_one_per_request_with_htmx(admin: Client, wire: respx.MockRouter) -> None:
    works(wire, "dir:create:user")

    answers = list(steps(admin))

    assert [key for key, _ in answers] == [check.key for check in CHECKS]
    first, second = answers[:2]
    assert states(first[1]) == {"auth-url": "passed", "api-url": "running"}
    assert "Checking 2 of 22" in first[1]
    assert 'id="checks-progress" class="checks-progress" role="status" hx-swap-oob="true"' in second[1]
    assert "passed" in answers[-1][1]
    assert 'id="support" aria-labelledby="support-title" hx-swap-oob="true"' in answers[-1][1]


def test_checks_that_need_a_failed_check_are_skipped(
    admin: Client, wire: respx.MockRouter, connection: Connection
) -> None:
    Connection.objects.update(auth_url="https://elsewhere.test")

    found = {key: states(html)[key] for key, html in steps(admin)}

    assert found["auth-url"] == "failed"
    assert found["credentials"] == found["read-users"] == "skipped"
    assert found["tokens"] == "passed"
    assert not wire.calls


def test_single_check_can_be_run_alone(admin: Client, wire: respx.MockRouter) -> None:
    wire.get(f"{MANAGED}/groups").respond(403, json=FORBIDDEN)
    wire.get(MANAGED).respond(json={"id": str(ENVIRONMENT), "name": "E"})

    fragment = admin.get(f"{PAGE}checks/read-groups/", headers=HTMX).text
    page = admin.get(f"{PAGE}checks/read-groups/").text

    assert states(fragment) == {"read-groups": "failed"}
    assert 'data-kind="missing-permission"' in fragment
    assert FORBIDDEN["id"] in fragment
    assert states(page)["read-groups"] == "failed"
    assert states(page)["read-users"] == "not-run"


def test_token_is_renewed_only_by_post(admin: Client, wire: respx.MockRouter, connection: Connection) -> None:
    discoverable(wire)
    exchange = wire.post(f"{ISSUER}/token").respond(json=tokens())

    assert "does not need to be renewed for" in admin.get(f"{PAGE}checks/refresh/", headers=HTMX).text
    assert not exchange.called

    assert "just renewed" in admin.post(f"{PAGE}checks/refresh/", headers=HTMX).text
    assert "just renewed" in admin.post(f"{PAGE}checks/refresh/", follow=True).text
    assert exchange.call_count == 2
    assert admin.post(f"{PAGE}checks/api/").status_code == 405


def test_failed_renewal_keeps_a_good_access_token_and_says_until_when(
    admin: Client, wire: respx.MockRouter, connection: Connection
) -> None:
    works(wire, "dir:create:user")
    exchange = wire.post(f"{ISSUER}/token").respond(400, json={"error": "invalid_grant"})
    ends = datetime(2026, 11, 27, 14, 10, tzinfo=UTC)
    Connection.objects.update(access_token_expires_at=ends, consented_at=ends - timedelta(days=2))

    with time_machine.travel(ends - timedelta(minutes=34), tick=False):
        html = admin.post(f"{PAGE}checks/refresh/", follow=True).text
        asked = exchange.call_count
        again = admin.post(f"{PAGE}checks/refresh/", headers=HTMX).text
        found = states(admin.get(f"{PAGE}checks/").text)

    assert states(html)["refresh"] == states(again)["refresh"] == "failed"
    assert "PingOne: works until 14:10 UTC, then reconnect" in " ".join(html.split())
    assert "The access token works until 2026-11-27 14:10 UTC, but cannot be renewed." in html
    assert f'href="{PAGE}#kind-token-refresh-failure"' in html
    assert asked == 1
    assert exchange.call_count == 2, "only the check of the credentials asked, with an invented code"
    assert (found["refresh"], found["read-users"], found["tokens"]) == ("failed", "passed", "warning")


def test_unknown_check_is_not_found(admin: Client) -> None:
    assert admin.get(f"{PAGE}checks/nonsense/").status_code == 404


# Old results


def test_result_shows_its_age(admin: Client, wire: respx.MockRouter) -> None:
    works(wire)
    now = timezone.now()
    with time_machine.travel(now, tick=False):
        assert "ago)" not in admin.get(f"{PAGE}checks/api/", headers=HTMX).text
    with time_machine.travel(now + timedelta(minutes=12), tick=False):
        assert "(12 minutes ago)" in " ".join(admin.get(PAGE).text.split())


def test_failures_fall_once_the_connection_works_again(admin: Client, wire: respx.MockRouter) -> None:
    works(wire)
    users = wire.get(f"{MANAGED}/users").respond(403, json=FORBIDDEN)
    found = states(admin.get(f"{PAGE}checks/").text)
    assert found["read-users"] == "failed"
    assert states(admin.get(PAGE).text) == found

    users.respond(json=listing("users"))
    wire.get(f"{MANAGED}/populations").respond(json=listing("populations"))
    admin.get("/o/acme/users/")  # somebody works with it, and it works again

    after = states(admin.get(PAGE).text)
    assert {key: state for key, state in after.items() if state != "not-run"} == {
        key: state for key, state in found.items() if state == "passed"
    }
    assert "[failed]" not in admin.get(f"{PAGE}support.txt").content.decode()


def test_result_falls_when_a_check_that_it_needs_comes_out_differently(
    admin: Client, wire: respx.MockRouter, connection: Connection
) -> None:
    works(wire)
    wire.get(f"{API_URL}/v1/environments").respond(503)  # what the check "api" asks
    found = states(admin.get(f"{PAGE}checks/").text)
    assert (found["api"], found["read-users"]) == ("failed", "skipped")

    wire.get(f"{API_URL}/v1/environments").respond(json=listing("environments"))
    fragment = admin.get(f"{PAGE}checks/api/", headers=HTMX).text

    told = states(fragment)
    assert told["api"] == "passed"
    assert told["read-users"] == "not-run", "“needs this to pass first” beside “passed”"
    assert 'id="checks-progress" class="checks-progress" role="status" hx-swap-oob="true"' in fragment
    assert 'id="connection-state"' in fragment
    assert states(admin.get(PAGE).text)["read-users"] == "not-run"


@pytest.mark.parametrize(
    "columns",
    [
        {"client_id": "another"},
        {"sealed_client_secret": "another"},
        {"managed_environment_id": MARA},
        {"consented_at": datetime(2026, 1, 1, tzinfo=UTC)},
    ],
    ids=lambda columns: next(iter(columns)),
)
def test_results_fall_with_other_settings_or_another_grant(
    admin: Client, wire: respx.MockRouter, columns: dict[str, Any]
) -> None:
    works(wire)
    admin.get(f"{PAGE}checks/api/")
    assert states(admin.get(PAGE).text)["api"] == "passed"

    Connection.objects.update(**columns)

    assert states(admin.get(PAGE).text)["api"] == "not-run"


# Another region


def test_correct_auth_url_can_be_saved_with_one_click(
    admin: Client, wire: respx.MockRouter, connection: Connection
) -> None:
    Connection.objects.update(auth_url="https://auth.pingone.com")
    issuer = f"https://auth.pingone.eu/{ADMINISTRATORS}/as"
    wire.get(f"{issuer}/.well-known/openid-configuration").respond(json={"issuer": issuer})
    wire.route(method="GET").respond(404)
    revocation = wire.post(url__regex="https://auth.pingone.com/.*").respond(404)

    found = admin.get(f"{PAGE}checks/environment/", headers=HTMX).text
    assert 'name="auth_url" value="https://auth.pingone.eu"' in found
    assert "This ends the current connection" in found

    page = admin.post(f"{PAGE}auth-url/", {"auth_url": "https://auth.pingone.eu"}, follow=True)

    connection.refresh_from_db()
    assert connection.auth_url == "https://auth.pingone.eu"
    assert not connection.has_tokens
    assert not revocation.called
    assert page.redirect_chain == [("/o/acme/settings/connection/", 302)]
    assert "Changed the Auth URL to https://auth.pingone.eu." in page.text
    entry = AuditEntry.objects.filter(action="connection.settings-changed").get()
    assert entry.before is not None
    assert entry.after is not None
    assert (entry.before["auth_url"], entry.after["auth_url"]) == (
        "https://auth.pingone.com",
        "https://auth.pingone.eu",
    )


@pytest.mark.parametrize("posted", ["https://evil.test", "", "https://auth.pingone.eu.evil.test"])
def test_unknown_host_is_refused_as_auth_url(admin: Client, connection: Connection, posted: str) -> None:
    assert admin.post(f"{PAGE}auth-url/", {"auth_url": posted}).status_code == 409

    connection.refresh_from_db()
    assert connection.auth_url == AUTH_URL
    assert connection.has_tokens


# Capabilities


def test_capabilities_have_a_row_for_every_action(admin: Client, wire: respx.MockRouter) -> None:
    works(wire, "dir:create:user", "dir:update:user", "dir:create:groupMembership")
    wire.post(f"{ISSUER}/token").mock(side_effect=AssertionError("no trial"))

    fragment = admin.get(f"{PAGE}capabilities/", headers=HTMX).text
    rows = re.findall(r'data-verdict="([^"]+)">\s*<th scope="row">([^<]+)</th>', fragment)

    assert [name for _, name in rows] == EVERY_ROW
    assert {name for verdict, name in rows if verdict == "cannot"} == {
        "Delete user",
        "Send recovery code",
        "Force password change",
        "Unlock password",
        "Set temporary password",
        "Replace password",
        "Remove MFA device",
        "Unlock MFA device",
        "Rename MFA device",
        "Verify email",
        "Remove from group",
        "End session",
        "End all sessions",
    }
    assert {verdict for verdict, _ in rows} == {"can", "cannot"}
    assert "Missing: dir:recover:userPassword. Roles: Some role." in fragment
    assert "Give that administrator the role Identity Data Admin" in fragment
    assert {call.request.method for call in wire.calls} == {"GET"}
    assert EVERY_ROW[0] in admin.get(f"{PAGE}capabilities/").text, "without JavaScript"


def test_capabilities_are_uncertain_if_pingone_hides_the_roles(admin: Client, wire: respx.MockRouter) -> None:
    works(wire)
    wire.get(f"{PERSON}/roleAssignments").respond(403, json=FORBIDDEN)

    rows = re.findall(
        r'data-verdict="([^"]+)">\s*<th scope="row">([^<]+)</th>', admin.get(f"{PAGE}capabilities/", headers=HTMX).text
    )

    assert {name for verdict, name in rows if verdict == "can"} == {"Get user", "List users", "Call API"}
    assert len([name for verdict, name in rows if verdict == "cannot-tell"]) == len(ACTIONS)


def test_capabilities_are_missing_without_a_role_on_the_environment(admin: Client, wire: respx.MockRouter) -> None:
    works(wire)
    wire.get(MANAGED).respond(403, json=FORBIDDEN)
    wire.get(f"{API_URL}/v1/environments").respond(json=listing("environments"))

    fragment = admin.get(f"{PAGE}capabilities/", headers=HTMX).text

    assert fragment.count('data-verdict="cannot"') == len(EVERY_ROW)
    assert "has no role on the environment" in fragment


def did(acme: Organization, action: str, outcome: str, at: datetime) -> None:
    """Put an entry on record, as if it had ended at that time."""
    with time_machine.travel(at, tick=False):
        row = AuditEntry(
            organization=acme, action=action, outcome=outcome, started_at=at, subject_kind=AuditEntry.Subject.USER
        )
        append(row, durable=False)


def test_capabilities_count_what_the_console_did_lately(
    admin: Client, wire: respx.MockRouter, acme: Organization, connection: Connection
) -> None:
    works(wire)
    wire.get(f"{PERSON}/roleAssignments").respond(403, json=FORBIDDEN)
    now = datetime(2026, 11, 27, 9, 20, tzinfo=UTC)
    did(acme, "user.delete", "succeeded", now - timedelta(days=31))  # long ago
    did(acme, "password.force-change", "failed", now - timedelta(hours=2))
    did(acme, "group.remove", "unknown", now - timedelta(hours=1))
    did(acme, "user.lock", "succeeded", now - timedelta(minutes=15))
    with time_machine.travel(now, tick=False):
        Connection.objects.update(
            consented_at=now - timedelta(days=90), access_token_expires_at=now + timedelta(hours=1)
        )
        fragment = admin.get(f"{PAGE}capabilities/", headers=HTMX).text

    found = re.findall(r'data-verdict="([^"]+)">\s*<th scope="row">([^<]+)</th>', fragment)
    rows = {name: verdict for verdict, name in found}
    used = BY_KEY["user.lock"].pingone_permission
    proven = {str(action.name) for action in ACTIONS if action.pingone_permission == used}
    assert {name for name, verdict in rows.items() if verdict == "can"} == proven | {
        "Get user",
        "List users",
        "Call API",
    }
    assert "This was done successfully on 2026-11-27 09:05 UTC, as the audit log shows." in fragment
    assert rows["Delete user"] == "cannot-tell"


def test_capabilities_count_nothing_that_an_earlier_administrator_did(
    admin: Client, wire: respx.MockRouter, acme: Organization, connection: Connection
) -> None:
    works(wire)
    wire.get(f"{PERSON}/roleAssignments").respond(403, json=FORBIDDEN)
    did(acme, "user.lock", "succeeded", timezone.now() - timedelta(days=3))  # Mara connected two days ago

    fragment = admin.get(f"{PAGE}capabilities/", headers=HTMX).text

    assert fragment.count('data-verdict="cannot-tell"') == len(ACTIONS)


def test_check_of_permissions_counts_what_the_console_did_lately(
    admin: Client, wire: respx.MockRouter, acme: Organization, connection: Connection
) -> None:
    works(wire)
    wire.get(f"{PERSON}/roleAssignments").respond(403, json=FORBIDDEN)
    assert states(admin.get(f"{PAGE}checks/change-groups/", headers=HTMX).text)["change-groups"] == "cannot-tell"

    did(acme, "group.add", "succeeded", timezone.now() - timedelta(minutes=9))
    did(acme, "group.remove", "succeeded", timezone.now() - timedelta(minutes=7))

    assert states(admin.get(f"{PAGE}checks/change-groups/", headers=HTMX).text)["change-groups"] == "passed"


@pytest.mark.parametrize(
    ("columns", "verdict"),
    [({"state": Connection.State.DISCONNECTED}, "cannot"), ({"managed_environment_id": None}, "cannot")],
)
def test_capabilities_are_missing_without_a_connection(
    admin: Client, wire: respx.MockRouter, columns: dict[str, Any], verdict: str
) -> None:
    Connection.objects.update(**columns)

    fragment = admin.get(f"{PAGE}capabilities/", headers=HTMX).text

    assert fragment.count(f'data-verdict="{verdict}"') == len(EVERY_ROW)
    assert not wire.calls


# Recent failures


def test_recent_failures_are_listed_with_an_example(
    admin: Client, pingone: respx.MockRouter, connection: Connection
) -> None:
    pingone.get(f"/users/{ADA}").respond(403, json=FORBIDDEN, headers={"Correlation-Id": "c-17"})
    pingone.get("/users").respond(404, json=error("NOT_FOUND"))
    api = open_api(connection)
    for path in (f"/users/{ADA}", f"/users/{ADA}", "/users"):
        with pytest.raises(PingOneError):
            api.get(path)

    html = admin.get(PAGE).text.partition('id="lately"')[2].partition("</section>")[0]

    assert re.findall(r'<tr data-kind="([^"]+)"', html) == ["missing-permission", "target-not-found"]
    assert ">2</td>" in html
    assert "GET /users/{id}" in html
    assert FORBIDDEN["id"] in html
    assert "c-17" in html
    assert html.count("Normal") == 1
    assert str(ADA) not in html


# All errors


def test_each_error_kind_has_a_row_with_cause_and_resolution(agent: Client) -> None:
    html = unescape(agent.get(PAGE).text)

    for kind, found in errors.kinds().items():
        assert html.count(f'id="kind-{kind}"') == 1, kind
        assert f"<code>{kind}</code>" in html
        if found is not errors.StateRejected:
            assert str(found.cause) in html
        assert str(resolution_of(found)) in html
    for cause in errors.StateRejected.causes.values():
        assert str(cause) in html
    assert str(errors.Unavailable(outcome_known=False).cause) in html


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}], ids=["page", "notice"])
def test_error_links_to_its_row(
    agent: Client, pingone: respx.MockRouter, connection: Connection, headers: dict[str, str]
) -> None:
    pingone.get(f"/users/{ADA}").respond(403, json=FORBIDDEN)

    html = agent.get(f"/o/acme/users/{ADA}/", headers=headers).text

    assert f'<a href="{PAGE}#kind-missing-permission">More about this</a>' in html


def test_audit_entry_links_to_the_row_of_its_failure(
    admin: Client, pingone: respx.MockRouter, acme: Organization, connection: Connection
) -> None:
    pingone.get(f"/users/{ADA}").respond(404, json=error("NOT_FOUND"))
    admin.post(f"/o/acme/users/{ADA}/actions/user.unlock/", {"submission": "c0a8f3d2-41b7-4e9a-9d0e-7b6a5c4d3e99"})
    entry = AuditEntry.objects.filter(action="user.unlock").latest("sequence")

    html = admin.get(f"/o/acme/audit/{entry.entry}/").text

    assert f'<a href="{PAGE}#kind-target-not-found">' in html


# Explain an error

ENVELOPE = json.dumps(FORBIDDEN)


@pytest.mark.parametrize(
    ("pasted", "kind"),
    [
        (ENVELOPE, "missing-permission"),
        (f"403 Forbidden\n\n{ENVELOPE}\n", "missing-permission"),
        (json.dumps(error("ACCESS_FAILED", "INVALID_TOKEN")), "token-rejected"),
        (json.dumps(error("ACCESS_FAILED", "LICENSE_EXCEEDED")), "license-exceeded"),
        (json.dumps(error("INVALID_DATA", "UNIQUENESS_VIOLATION", "username")), "duplicate"),
        (json.dumps(error("INVALID_DATA", "INVALID_VALUE", "email")), "invalid-value"),
        (json.dumps(error("REQUEST_FAILED")), "refused-by-state"),
        (f"HTTP/1.1 415 Unsupported Media Type {json.dumps(error('INVALID_REQUEST'))}", "refused-by-state"),
        (json.dumps(error("NOT_FOUND")), "target-not-found"),
        (json.dumps(error("REQUEST_LIMITED", "LIMIT_EXCEEDED")), "rate-limited"),
        (json.dumps(error("UNEXPECTED_ERROR")), "unavailable"),
        ('{"message": "Authorization header requires Credential parameter"}', "blocked"),
        ('{"error": "invalid_grant", "error_description": "expired"}', "token-refresh-failure"),
        ('{"error": "invalid_client"}', "authentication-error"),
        ('{"error": "temporarily_unavailable"}', "unavailable"),
        ("https://console.test/connect/callback/?error=access_denied&state=x", "not-approved"),
        ("invalid_client", "authentication-error"),
        ("The code was UNIQUENESS_VIOLATION.", "duplicate"),
        ("429", "rate-limited"),
        ("status: 503", "unavailable"),
        ("HTTP 403", "missing-permission"),
        ("HTTP 401", "token-rejected"),
        ("no-refresh-token", "no-refresh-token"),
        ('{"key": "refresh", "kind": "seal-broken"}', "seal-broken"),
        ("The connection to PingOne has ended", "token-refresh-failure"),
        ("PingOne gave no refresh token:\n the application's Refresh Token grant is off.", "no-refresh-token"),
        ("Name or service not known", "connection-failure"),
        ("certificate verify failed: self-signed certificate", "connection-failure"),
        ("The read operation timed out", "unavailable"),
    ],
)
def test_pasted_error_is_explained(agent: Client, pasted: str, kind: str) -> None:
    fragment = agent.post(f"{PAGE}explain/", {"error_text": pasted}, headers=HTMX).text

    assert f'data-failure="{kind}"' in fragment
    if kind in errors.kinds():
        told = unescape(fragment)
        assert str(errors.kinds()[kind].title) in told
        assert str(errors.kinds()[kind].cause) in told
        assert f'href="{PAGE}#kind-{kind}"' in fragment


@pytest.mark.parametrize("error_class", errors.kinds().values(), ids=lambda one: one.kind)
def test_every_error_kind_is_recognized_by_its_cause(agent: Client, error_class: type[PingOneError]) -> None:
    if error_class is errors.StateRejected:
        cause = str(errors.StateRejected.causes[errors.StateRejected.Reason.STALE])
    else:
        cause = str(error_class.cause)

    fragment = agent.post(f"{PAGE}explain/", {"error_text": f"It says:\n{cause}"}, headers=HTMX).text

    assert f'data-failure="{error_class.kind}"' in fragment


@pytest.mark.parametrize("pasted", ["hello", "200", "{", "[]", '{"a": 1}', "{" * 5000, "null", "\x00"])
def test_unknown_pasted_text_is_reported_as_unknown(agent: Client, pasted: str) -> None:
    response = agent.post(f"{PAGE}explain/", {"error_text": pasted})

    assert "does not know this error" in response.text or response.status_code == 422


def test_empty_or_too_long_paste_is_refused(agent: Client) -> None:
    nothing = agent.post(f"{PAGE}explain/", {"error_text": " "})
    too_much = agent.post(f"{PAGE}explain/", {"error_text": "x" * 20_001})

    assert nothing.status_code == too_much.status_code == 422
    assert "Paste an error first." in nothing.text
    assert "This is too long" in too_much.text


def test_pasted_text_is_not_stored_shown_or_logged(agent: Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    canary = "CanaryPasted1"
    pasted = json.dumps(error("INVALID_DATA", "INVALID_VALUE", canary) | {"message": f"<script>{canary}</script>"})

    page = agent.post(f"{PAGE}explain/", {"error_text": f"Bearer {canary} {pasted}"})

    assert 'data-failure="invalid-value"' in page.text
    assert canary not in page.text
    assert canary not in caplog.text
    assert canary not in str([session.get_decoded() for session in Session.objects.all()])
    assert agent.get(f"{PAGE}explain/")["Location"] == f"{PAGE}#explain"


# For support


def test_support_text_holds_no_secrets_and_no_people(
    admin: Client, wire: respx.MockRouter, connection: Connection
) -> None:
    for column in ("access_token", "refresh_token", "client_secret"):
        setattr(connection, f"sealed_{column}", connection.seal(column, f"Canary-{column}"))
    connection.save()
    works(wire, "dir:create:user")
    wire.get(f"{MANAGED}/users").respond(403, json=FORBIDDEN)
    with pytest.raises(PingOneError):
        open_api(connection).get("/users", {"filter": 'username eq "canary.user"'})
    admin.get(f"{PAGE}checks/")

    saved = admin.get(f"{PAGE}support.txt")
    page = unescape(admin.get(PAGE).text)

    text = saved.content.decode()
    assert text in page
    assert saved["Content-Disposition"] == 'attachment; filename="connection-acme.txt"'
    for told in ("Django: ", AUTH_URL, API_URL, str(ENVIRONMENT), connection.client_id, "[failed] Users can be read"):
        assert told in text
    assert "missing-permission: 1 time, from" in text
    assert FORBIDDEN["id"] in text
    assert "canary" not in text.lower()
    assert "Mara" not in text
    assert "@" not in text


def test_support_text_says_that_no_check_was_run(admin: Client) -> None:
    assert "No checks were run." in admin.get(f"{PAGE}support.txt").content.decode()


def test_check_results_are_kept_and_given_to_support_in_english(admin: Client, connection: Connection) -> None:
    with translation.override("de"):
        shown = admin.get(f"{PAGE}checks/tokens/", headers=HTMX).text
        support = admin.get(f"{PAGE}support.txt").content.decode()

    assert "2 Tage" in shown
    assert "Connected 2 days ago." in support
    assert "Connected 2 days ago." in admin.get(PAGE).text


def test_check_results_are_kept_per_session(
    admin: Client, wire: respx.MockRouter, globex: Organization, org_admin: Operator, browser_of: Browser
) -> None:
    works(wire)
    admin.get(f"{PAGE}checks/api/")

    assert states(admin.get(PAGE).text)["api"] == "passed"
    assert states(browser_of(org_admin).get(PAGE).text)["api"] == "not-run"
