"""Every action of the catalogue by page and by fragment: for each role, with each way it can go."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from django.test import Client
from django.utils import timezone

from console.access import ROLE_PERMISSIONS
from console.catalogue import ACTIONS, BY_KEY, Action
from console.models import AuditEntry, Membership, Operator, TicketPolicy
from pingone_integration.errors import kinds
from pingone_integration.tokens import StoredTokens
from tests.answers import ADA, ENGINEERS, STAFF, ada, error, listing
from tests.console.test_user_list import HOSTILE_NAMES

DEVICE = UUID("a1d00000-0000-4000-8000-000000000001")
SESSION = UUID("465b0000-0000-4000-8000-000000000001")
HTMX = {"HX-Request": "true", "HX-Target": "action"}

# What each action needs typed, and the request that it must become. `{path}` is below the user.
INPUTS: dict[str, dict[str, str]] = {
    "user.lock": {"until": "soon"},
    "user.delete": {"username": "ada.berg"},
    "mfa.bypass": {"until": "soon"},
    "user.update": {"title": "Chief"},
    "user.move": {"population_id": str(ENGINEERS)},
    "device.remove": {"device_id": str(DEVICE)},
    "device.unlock": {"device_id": str(DEVICE)},
    "device.rename": {"device_id": str(DEVICE), "nickname": "Work"},
    "group.add": {"group_id": str(ENGINEERS)},
    "group.remove": {"group_id": str(ENGINEERS)},
    "session.end": {"session_id": str(SESSION)},
}
WRITES = {
    "user.activate": ("PUT", "/enabled"),
    "user.deactivate": ("PUT", "/enabled"),
    "user.unlock": ("POST", ""),
    "user.lock": ("POST", ""),
    "user.delete": ("DELETE", ""),
    "user.update": ("PATCH", ""),
    "user.move": ("PUT", "/population"),
    "user.verify-email": ("POST", "/emailVerification"),
    "password.send-recovery-code": ("POST", "/password"),
    "password.force-change": ("POST", "/password"),
    "password.unlock": ("POST", "/password"),
    "password.set-temporary": ("PUT", "/password"),
    "mfa.enable": ("PUT", "/mfaEnabled"),
    "mfa.disable": ("PUT", "/mfaEnabled"),
    "mfa.bypass": ("PUT", "/bypassMFA"),
    "device.remove": ("DELETE", f"/devices/{DEVICE}"),
    "device.unlock": ("POST", f"/devices/{DEVICE}"),
    "device.rename": ("PUT", f"/devices/{DEVICE}/nickname"),
    "group.add": ("POST", "/memberOfGroups"),
    "group.remove": ("DELETE", f"/memberOfGroups/{ENGINEERS}"),
    "session.end": ("DELETE", f"/sessions/{SESSION}"),
    "sessions.end-all": ("DELETE", f"/sessions/{SESSION}"),
}
ON_A_USER = [action for action in ACTIONS if action.needs_user]
EVERY_ACTION = pytest.mark.parametrize("action", ON_A_USER, ids=lambda action: action.key)

Press = Callable[..., Any]


@pytest.fixture
def press(browser_of) -> Press:
    """Press the button of an action, as a page or, with `htmx`, as a fragment."""
    soon = (timezone.now() + timedelta(days=7)).strftime("%Y-%m-%dT%H:%M")

    def press(operator: Operator | Client, key: str, *, htmx: bool = False, **fields: str) -> Any:
        client = operator if isinstance(operator, Client) else browser_of(operator)
        data = {"submission": str(uuid4())} | INPUTS.get(key, {}) | fields
        data = {name: soon if value == "soon" else value for name, value in data.items()}
        return client.post(f"/o/acme/users/{ADA}/actions/{key}/", data, headers=HTMX if htmx else {})

    return press


@pytest.fixture
def readable(pingone):
    """All that an action may read about Ada; the writes are each test's own."""
    pingone._assert_all_called = False
    pingone.get(f"/users/{ADA}").respond(json=ada())
    pingone.get(f"/users/{ADA}/password").respond(json={"status": "OK"})
    pingone.get(f"/users/{ADA}/bypassMFA").respond(json={})
    pingone.get(f"/users/{ADA}/devices").respond(json=listing("devices"))
    pingone.get(f"/users/{ADA}/devices/{DEVICE}").respond(json={"id": str(DEVICE), "type": "TOTP"})
    pingone.get(f"/users/{ADA}/sessions").respond(json=listing("sessions", {"id": str(SESSION)}))
    pingone.get(f"/users/{ADA}/memberOfGroups/{ENGINEERS}").respond(404, json=error("NOT_FOUND"))
    pingone.get(f"/groups/{ENGINEERS}").respond(json={"id": str(ENGINEERS), "name": "Engineers"})
    pingone.get("/groups").respond(json=listing("groups", {"id": str(ENGINEERS), "name": "Engineers"}))
    pingone.get("/schemas").respond(404, json=error("NOT_FOUND"))
    pingone.get("/populations").respond(json=listing("populations", {"id": str(ENGINEERS), "name": "Other"}))
    return pingone


def write(pingone, action: Action) -> Any:
    method, path = WRITES[action.key]
    return pingone.request(method, f"/users/{ADA}{path}")


def works(pingone, action: Action) -> Any:
    answer = ada(title="Chief") if action.key == "user.update" else {}
    status = 204 if WRITES[action.key][0] == "DELETE" else 200
    return write(pingone, action).mock(return_value=httpx.Response(status, json=None if status == 204 else answer))


def last() -> AuditEntry:
    return AuditEntry.objects.current().get()


def test_the_table_of_this_test_is_the_catalogue():
    assert WRITES.keys() == {action.key for action in ON_A_USER}


@EVERY_ACTION
@pytest.mark.parametrize("htmx", [False, True], ids=["page", "fragment"])
def test_an_action_runs_and_shows_the_user_as_read_back(press, org_admin, readable, action, htmx):
    wire = works(readable, action)

    response = press(org_admin, action.key, htmx=htmx, ticket="INC1")

    assert wire.call_count == 1
    assert (last().action, last().outcome, last().operator, last().ticket) == (
        action.key,
        "succeeded",
        org_admin,
        "INC1",
    )
    if action.secret_result:
        assert response.status_code == 200
        assert wire.calls.last.request.content.decode().split('"')[3] in response.text
    elif htmx:
        assert response.status_code == 200
        assert "<html" not in response.text
        assert f"{action.done}: Ada Berg." in response.text
        assert 'id="account"' in response.text
    else:
        assert response.status_code == 302
        assert response.url == f"/o/acme/users/{ADA}/"


@EVERY_ACTION
@pytest.mark.parametrize("role", ["org_admin", "helpdesk", "auditor", "stranger"])
@pytest.mark.parametrize("htmx", [False, True], ids=["page", "fragment"])
def test_an_action_runs_only_for_the_roles_that_may(press, request, readable, action, role, htmx):
    works(readable, action)
    operator = request.getfixturevalue(role)
    membership = Membership.objects.filter(operator=operator, organization__slug="acme").first()
    allowed = membership is not None and action.permission in ROLE_PERMISSIONS[membership.role]

    response = press(operator, action.key, htmx=htmx)

    if allowed:
        assert response.status_code in {200, 302}
    else:
        assert response.status_code == (404 if role == "stranger" else 403)
        assert not AuditEntry.objects.exists()
        assert not readable.calls


@EVERY_ACTION
@pytest.mark.parametrize(
    ("answer", "kind", "outcome"),
    [
        (httpx.Response(400, json=error("INVALID_DATA", "INVALID_VALUE", "nothing")), "invalid-value", "failed"),
        (httpx.Response(400, json=error("INVALID_DATA", "NO_PASSWORD")), "refused-by-state", "failed"),
        (httpx.Response(403, json=error("ACCESS_FAILED", "INSUFFICIENT_PERMISSIONS")), "missing-permission", "failed"),
        (httpx.Response(415, json=error("INVALID_REQUEST")), "refused-by-state", "failed"),
        (httpx.Response(429, json=error("REQUEST_LIMITED"), headers={"Retry-After": "3"}), "rate-limited", "failed"),
        (httpx.Response(500, json=error("UNEXPECTED_ERROR")), "unavailable", "unknown"),
        (httpx.Response(503, html="<h1>Sorry</h1>"), "unavailable", "unknown"),
        (httpx.Response(200, html="<h1>Welcome</h1>"), "unavailable", "unknown"),
        (httpx.ReadTimeout("too late"), "unavailable", "unknown"),
        (httpx.RemoteProtocolError("cut off"), "unavailable", "unknown"),
        (httpx.ConnectError("no route"), "connection-failure", "failed"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_failure_is_told_and_on_record_and_nothing_is_repeated(
    press, org_admin, readable, action, answer, kind, outcome
):
    wire = write(readable, action).mock(side_effect=[answer])

    response = press(org_admin, action.key, htmx=True)

    assert wire.call_count == 1
    assert issubclass(kinds()[last().error_kind], kinds()[kind])
    assert last().outcome == outcome
    if outcome == "unknown":
        assert "may have happened" in response.text
        assert 'id="account"' in response.text
        assert str(last().entry) in response.text  # the transaction id at PingOne
    else:
        assert response.status_code >= 400
        assert f"{action.done}: " not in response.text


@EVERY_ACTION
def test_an_access_token_that_expires_in_the_middle_is_renewed_and_the_action_runs_once(
    press, org_admin, readable, action, monkeypatch
):
    renewed = []

    def renew(tokens, rejected):
        renewed.append(rejected)
        return rejected

    monkeypatch.setattr(StoredTokens, "replace", renew)
    expired = httpx.Response(401, json=error("ACCESS_FAILED", "INVALID_TOKEN"))
    done = works(readable, action).return_value
    wire = write(readable, action).mock(side_effect=[expired, done])

    press(org_admin, action.key, htmx=True)

    assert wire.call_count == 2
    assert len(renewed) == 1
    assert last().outcome == "succeeded"


@EVERY_ACTION
@pytest.mark.parametrize("htmx", [False, True], ids=["page", "fragment"])
def test_the_form_says_what_will_happen_and_what_not(browser_of, org_admin, readable, action, htmx):
    query = INPUTS.get(action.key, {})

    response = browser_of(org_admin).get(
        f"/o/acme/users/{ADA}/actions/{action.key}/", query, headers=HTMX if htmx else {}
    )

    assert response.status_code == 200
    assert ("<html" in response.text) is not htmx
    text = re.sub(r"\s+", " ", response.text)
    assert action.does.replace("'", "&#x27;") in text
    assert action.leaves.replace("'", "&#x27;") in text
    if action.question:
        assert action.question.format(name="Ada Berg") in text
    assert not AuditEntry.objects.exists()


@EVERY_ACTION
def test_a_hostile_name_is_text_in_the_form_and_in_the_answer(browser_of, press, org_admin, pingone, action):
    pingone._assert_all_called = False
    name = " ".join(HOSTILE_NAMES.values())[:2000]
    hostile = json.dumps(ada(name={"given": name, "family": name}))
    pingone.route().respond(content=hostile)
    client = browser_of(org_admin)

    page = client.get(f"/o/acme/users/{ADA}/actions/{action.key}/", INPUTS.get(action.key, {}))
    answer = press(client, action.key, htmx=True)

    assert "<script>alert" not in page.text + answer.text
    assert "<img src=x" not in page.text + answer.text


def test_a_second_press_of_the_same_button_has_no_second_effect(press, helpdesk, browser_of, readable):
    wire = works(readable, BY_KEY["user.unlock"])
    client, submission = browser_of(helpdesk), str(uuid4())
    press(client, "user.unlock", submission=submission)

    again = press(client, "user.unlock", submission=submission, htmx=True)

    assert wire.call_count == 1
    assert "This was sent before and is done." in again.text


def test_a_resent_form_of_a_secret_does_not_show_it_again(press, helpdesk, browser_of, readable):
    wire = works(readable, BY_KEY["password.set-temporary"])
    client, submission = browser_of(helpdesk), str(uuid4())
    first = press(client, "password.set-temporary", submission=submission)
    password = wire.calls.last.request.content.decode().split('"')[3]

    again = press(client, "password.set-temporary", submission=submission, htmx=True)

    assert wire.call_count == 1
    assert first["Cache-Control"] == "no-store"
    assert password in first.text
    assert password not in again.text
    assert "not kept" in again.text


def test_a_form_without_its_token_is_not_accepted(browser_of, helpdesk, readable):
    response = browser_of(helpdesk).post(f"/o/acme/users/{ADA}/actions/user.unlock/", {})

    assert response.status_code == 422
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("key", ["user.dance", "user.create", "nothing"])
def test_what_is_not_an_action_on_a_user_is_not_found(browser_of, org_admin, pingone, key):
    assert browser_of(org_admin).get(f"/o/acme/users/{ADA}/actions/{key}/").status_code == 404


def test_a_wrong_username_deletes_nobody(press, org_admin, readable):
    response = press(org_admin, "user.delete", username="bo.ek", htmx=True)

    assert response.status_code == 422
    assert "not the username" in response.text
    assert not AuditEntry.objects.exists()


def test_after_a_deletion_the_list_of_users_is_next(press, org_admin, pingone):
    pingone.get(f"/users/{ADA}").mock(
        side_effect=[httpx.Response(200, json=ada())] * 2 + [httpx.Response(404, json=error("NOT_FOUND"))]
    )
    pingone.delete(f"/users/{ADA}").respond(204)

    response = press(org_admin, "user.delete")

    assert (response.status_code, response.url) == (302, "/o/acme/users/")


@pytest.mark.parametrize(
    ("until", "complaint"),
    [("2020-01-01T00:00", "in the future"), ("2099-01-01T00:00", "within a year"), ("tomorrow", "valid date")],
)
def test_a_time_must_be_soon_and_in_the_future(press, helpdesk, readable, until, complaint):
    response = press(helpdesk, "user.lock", until=until, htmx=True)

    assert response.status_code == 422
    assert complaint in response.text


def test_a_refused_value_is_told_at_its_field_and_nothing_typed_is_lost(press, helpdesk, readable):
    readable.patch(f"/users/{ADA}").respond(400, json=error("INVALID_DATA", "INVALID_VALUE", "name.given"))

    response = press(helpdesk, "user.update", given_name="Ada?", title="Chief", htmx=True)

    assert response.status_code == 422
    assert re.search(r'name="given_name" value="Ada\?"[^>]*aria-invalid="true"', response.text)
    assert "PingOne does not accept this value." in response.text
    assert 'value="Chief"' in response.text


def test_what_was_typed_survives_an_outage(press, helpdesk, readable):
    readable.patch(f"/users/{ADA}").mock(side_effect=httpx.ConnectError("no route"))

    response = press(helpdesk, "user.update", title="Chief of everything", htmx=True)

    assert response.status_code == 504
    assert 'value="Chief of everything"' in response.text
    assert "could not be reached" in response.text


def test_a_profile_that_is_not_changed_is_not_sent(press, helpdesk, readable):
    response = press(helpdesk, "user.update", title="Analyst", htmx=True)

    assert response.status_code == 422
    assert "Nothing is changed" in response.text


def test_a_profile_that_changed_meanwhile_is_not_overwritten(press, helpdesk, readable):
    response = press(helpdesk, "user.update", seen_at="2026-11-01T00:00:00+00:00", htmx=True)

    assert response.status_code == 409
    assert "The user has changed since" in response.text
    assert 'value="Chief"' in response.text
    assert last().error_kind == "changed-meanwhile"


def test_what_pingone_did_not_take_is_told(press, helpdesk, readable):
    readable.patch(f"/users/{ADA}").respond(json=ada())

    response = press(helpdesk, "user.update", nickname="Addie", title="Analyst", htmx=True)

    assert "PingOne did not take: nickname." in response.text


def test_the_ticket_in_hand_goes_with_every_button_until_it_is_changed(press, browser_of, helpdesk, readable):
    works(readable, BY_KEY["user.unlock"])
    client = browser_of(helpdesk)
    client.post("/o/acme/working-on/", {"ticket": "INC12345", "user_id": str(ADA)})

    press(client, "user.unlock")
    assert last().ticket == "INC12345"
    assert 'value="INC12345"' in client.get(f"/o/acme/users/{ADA}/actions/user.lock/").text
    assert 'value="INC12345"' in client.get(f"/o/acme/users/{ADA}/").text


def test_where_a_ticket_is_required_the_button_leads_to_the_question(press, helpdesk, readable, acme):
    TicketPolicy.objects.create(organization=acme, action="user.unlock", requirement="pattern", pattern=r"INC\d+")

    response = press(helpdesk, "user.unlock", ticket="CHG1", htmx=True)

    assert response.status_code == 422
    assert "looks like INC\\d+" in response.text
    assert 'value="CHG1"' in response.text


def test_the_notice_of_a_deactivation_undoes_it(press, browser_of, helpdesk, pingone):
    states = [ada(), ada(enabled=False), ada(enabled=False), ada(enabled=False), ada(enabled=False), ada()]
    pingone.get(f"/users/{ADA}").mock(side_effect=[httpx.Response(200, json=state) for state in states])
    wire = pingone.put(f"/users/{ADA}/enabled").respond(json={})
    client = browser_of(helpdesk)
    press(client, "user.deactivate", ticket="INC7")
    notice = client.get(f"/o/acme/users/{ADA}/").text
    found = re.search(r'action="(/o/acme/audit/[^"]+/undo/)".*?name="submission" value="([^"]+)"', notice, re.DOTALL)
    assert found

    response = client.post(found[1], {"submission": found[2]})

    assert (response.status_code, response.url) == (302, f"/o/acme/users/{ADA}/")
    assert wire.calls.last.request.content == b'{"enabled":true}'
    undone = AuditEntry.objects.current().get(action="user.activate")
    assert (undone.ticket, undone.outcome) == ("INC7", "succeeded")
    assert undone.undoes == AuditEntry.objects.current().get(action="user.deactivate").entry


def test_undo_is_for_those_who_may_do_the_inverse(press, browser_of, helpdesk, auditor, stranger, readable):
    works(readable, BY_KEY["user.deactivate"])
    press(helpdesk, "user.deactivate")
    url = f"/o/acme/audit/{last().entry}/undo/"

    assert browser_of(auditor).post(url, {"submission": str(uuid4())}).status_code == 403
    assert browser_of(stranger).post(url, {"submission": str(uuid4())}).status_code == 404
    assert browser_of(stranger).post(url.replace("acme", "globex"), {"submission": str(uuid4())}).status_code == 404
    assert AuditEntry.objects.current().count() == 1


def test_undo_says_why_it_refuses(press, browser_of, helpdesk, readable):
    works(readable, BY_KEY["user.deactivate"])
    press(helpdesk, "user.deactivate")  # the canned user stays enabled, as if somebody had activated them since
    readable.get(f"/users/{ADA}").respond(json=ada(enabled=False))

    client = browser_of(helpdesk)
    client.post(f"/o/acme/audit/{last().entry}/undo/", {"submission": str(uuid4())})

    assert "has changed since" in client.get(f"/o/acme/users/{ADA}/").text


@pytest.mark.parametrize(
    ("state", "offered", "not_offered"),
    [
        ({}, ["user.deactivate", "user.lock", "mfa.bypass"], ["user.activate", "user.unlock", "user.verify-email"]),
        ({"enabled": False}, ["user.activate"], ["user.deactivate", "user.lock", "password.send-recovery-code"]),
        ({"account": {"status": "LOCKED"}}, ["user.unlock", "user.deactivate"], ["user.lock"]),
        ({"emailVerified": False}, ["user.verify-email"], []),
        ({"identityProvider": {"type": "GOOGLE"}}, ["user.deactivate"], ["password.set-temporary"]),
    ],
)
def test_a_page_offers_what_makes_sense(browser_of, org_admin, pingone, state, offered, not_offered):
    pingone.get(f"/users/{ADA}").respond(json=ada(**state))

    page = browser_of(org_admin).get(f"/o/acme/users/{ADA}/").text

    assert all(f"/actions/{key}/" in page for key in offered)
    assert not any(f"/actions/{key}/" in page for key in not_offered)


def test_an_auditor_is_offered_nothing(browser_of, auditor, readable):
    readable.get(f"/users/{ADA}/devices").respond(json=listing("devices", {"id": str(DEVICE), "type": "TOTP"}))
    readable.get(f"/users/{ADA}/memberOfGroups").respond(
        json=listing("groupMemberships", {"id": str(ENGINEERS), "type": "DIRECT"})
    )

    page = browser_of(auditor).get(f"/o/acme/users/{ADA}/?panels=all").text

    assert "/actions/" not in page
    assert "I am working on" not in page


def test_the_lines_of_a_panel_bring_their_own_actions(browser_of, helpdesk, pingone):
    locked = {"id": str(DEVICE), "type": "TOTP", "lock": {"status": "LOCKED"}}
    other = {"id": str(SESSION), "type": "SMS"}
    pingone.get(f"/users/{ADA}/devices").respond(json=listing("devices", locked, other))

    panel = browser_of(helpdesk).get(f"/o/acme/users/{ADA}/panels/devices/", headers=HTMX).text

    assert panel.count("actions/device.unlock/") == 2  # the form's action and its hx-post
    assert f"actions/device.remove/?device_id={DEVICE}" in panel
    assert f"actions/device.remove/?device_id={SESSION}" in panel


def test_an_inherited_membership_cannot_be_removed(browser_of, helpdesk, pingone):
    pingone.get(f"/users/{ADA}/memberOfGroups").respond(
        json=listing(
            "groupMemberships",
            {"id": str(ENGINEERS), "name": "Engineers", "type": "INDIRECT"},
            {"id": str(STAFF), "name": "Staff", "type": "DIRECT"},
        )
    )

    panel = browser_of(helpdesk).get(f"/o/acme/users/{ADA}/panels/groups/", headers=HTMX).text

    assert f'name="group_id" value="{STAFF}"' in panel
    assert f'name="group_id" value="{ENGINEERS}"' not in panel
