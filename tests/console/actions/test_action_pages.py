"""Pages of actions on a user: forms, confirmations, field errors, tickets and undo.

test_outcomes.py has the tests of every action, role and PingOne answer.
"""

import re
from collections.abc import Callable
from itertools import chain, repeat
from typing import Any
from uuid import uuid4

import httpx
import pytest
from django.test import Client

from console.actions.catalogue import ACTIONS, BY_KEY
from console.models import AuditEntry, Operator, TicketPolicy
from tests.support.answers import ADA, ENGINEERS, STAFF, ada, error, listing
from tests.support.asking import DEVICE, HTMX, SESSION, directory_for, page_of, readable, typed_for, write_of

ON_A_USER = [action for action in ACTIONS if action.needs_user]
EVERY_ACTION = pytest.mark.parametrize("action", ON_A_USER, ids=lambda action: action.key)

Press = Callable[..., Any]


@pytest.fixture
def press(browser_of) -> Press:
    """Return a function that submits an action's form as a page or, with `htmx`, as a fragment."""

    def press(operator: Operator | Client, key: str, *, htmx: bool = False, **fields: str) -> Any:
        client = operator if isinstance(operator, Client) else browser_of(operator)
        data = {"submission": str(uuid4())} | typed_for(BY_KEY[key]) | fields
        return client.post(page_of(BY_KEY[key]), data, headers=HTMX if htmx else {})

    return press


@pytest.fixture
def directory(pingone):
    """Mock all data that an action can read about Ada. Each test mocks its own writes."""
    pingone._assert_all_called = False
    for path, answer in readable().items():
        pingone.get(path).respond(json=answer)
    for path in (f"/users/{ADA}/memberOfGroups/{ENGINEERS}", "/schemas"):
        pingone.get(path).respond(404, json=error("NOT_FOUND"))
    return pingone


def works(pingone, key: str) -> Any:
    write = write_of(BY_KEY[key])
    return pingone.request(write.method, write.path).mock(return_value=directory_for(BY_KEY[key]).written)


def shows(pingone, *states: dict[str, Any]) -> None:
    """Answer reads of the user with these states. The last one stays."""
    answers = chain(states, repeat(states[-1]))
    pingone.get(f"/users/{ADA}").mock(side_effect=(httpx.Response(200, json=state) for state in answers))


def last() -> AuditEntry:
    return AuditEntry.objects.current().get()


@EVERY_ACTION
@pytest.mark.parametrize("htmx", [False, True], ids=["page", "fragment"])
def test_form_states_the_effects_of_the_action(browser_of, org_admin, directory, action, htmx):
    query = {name: value for name, value in typed_for(action).items() if name.endswith("_id")}

    response = browser_of(org_admin).get(
        f"/o/acme/users/{ADA}/actions/{action.key}/", query, headers=HTMX if htmx else {}
    )

    assert response.status_code == 200
    assert ("<html" in response.text) is not htmx
    text = re.sub(r"\s+", " ", response.text)
    assert str(action.does).replace("'", "&#x27;") in text
    assert str(action.leaves).replace("'", "&#x27;") in text
    if action.question:
        assert str(action.question).format(user="Ada Berg", device="Authenticator app") in text
    assert not AuditEntry.objects.exists()


def test_question_names_the_device_by_its_id_if_it_cannot_be_read(browser_of, helpdesk, directory):
    directory.get(f"/users/{ADA}/devices/{DEVICE}").respond(503)

    response = browser_of(helpdesk).get(f"/o/acme/users/{ADA}/actions/device.remove/", {"device_id": str(DEVICE)})

    assert f"Remove the device {DEVICE} from Ada Berg?" in response.text


def test_deletion_asks_for_the_username_by_name(browser_of, org_admin, directory):
    page = browser_of(org_admin).get(f"/o/acme/users/{ADA}/actions/user.delete/").text

    assert "Type <strong><bdi>ada.berg</bdi></strong> to confirm" in page


def test_form_without_its_token_is_not_accepted(browser_of, helpdesk, directory):
    response = browser_of(helpdesk).post(f"/o/acme/users/{ADA}/actions/user.unlock/", {})

    assert response.status_code == 422
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("key", ["user.dance", "user.create", "nothing"])
def test_unknown_action_on_a_user_is_not_found(browser_of, org_admin, pingone, key):
    assert browser_of(org_admin).get(f"/o/acme/users/{ADA}/actions/{key}/").status_code == 404


def test_deletion_with_a_wrong_username_is_refused(press, org_admin, directory):
    response = press(org_admin, "user.delete", username="bo.ek", htmx=True)

    assert response.status_code == 422
    assert "not the username" in response.text
    assert not AuditEntry.objects.exists()


def test_deletion_leads_to_the_user_list(press, org_admin, pingone):
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
def test_time_must_be_in_the_future_and_within_a_year(press, helpdesk, directory, until, complaint):
    response = press(helpdesk, "user.lock", until=until, htmx=True)

    assert response.status_code == 422
    assert complaint in response.text


def test_refused_value_is_shown_at_its_field_and_the_input_is_kept(press, helpdesk, directory):
    directory.patch(f"/users/{ADA}").respond(400, json=error("INVALID_DATA", "INVALID_VALUE", "name.given"))

    response = press(helpdesk, "user.update", given_name="Ada?", title="Chief", htmx=True)

    assert response.status_code == 422
    assert re.search(r'name="given_name" value="Ada\?"[^>]*aria-invalid="true"', response.text)
    assert "PingOne does not accept this value." in response.text
    assert 'value="Chief"' in response.text


def test_form_keeps_its_input_during_an_outage(press, helpdesk, directory):
    directory.patch(f"/users/{ADA}").mock(side_effect=httpx.ConnectError("no route"))

    response = press(helpdesk, "user.update", title="Chief of everything", htmx=True)

    assert response.status_code == 504
    assert 'value="Chief of everything"' in response.text
    assert "could not be reached" in response.text


def test_unchanged_profile_is_not_sent(press, helpdesk, directory):
    response = press(helpdesk, "user.update", title="Analyst", htmx=True)

    assert response.status_code == 422
    assert "No changes to save." in response.text


def test_profile_form_does_not_overwrite_a_newer_profile(press, helpdesk, directory):
    response = press(helpdesk, "user.update", seen_at="2026-11-01T00:00:00+00:00", htmx=True)

    assert response.status_code == 409
    assert "The user changed in the meantime" in response.text
    assert 'value="Chief"' in response.text
    assert last().error_kind == "changed-meanwhile"


def test_notice_names_the_fields_that_pingone_ignored(press, helpdesk, directory):
    directory.patch(f"/users/{ADA}").respond(json=ada())

    response = press(helpdesk, "user.update", nickname="Addie", title="Analyst", htmx=True)

    assert "PingOne did not save: nickname." in response.text


def test_current_ticket_is_used_by_every_action(press, browser_of, helpdesk, directory):
    works(directory, "user.unlock")
    client = browser_of(helpdesk)
    client.post("/o/acme/working-on/", {"ticket": "INC12345", "user_id": str(ADA)})

    press(client, "user.unlock")
    assert last().ticket == "INC12345"
    assert 'value="INC12345"' in client.get(f"/o/acme/users/{ADA}/actions/user.lock/").text
    assert 'value="INC12345"' in client.get(f"/o/acme/users/{ADA}/").text


def test_button_leads_to_the_form_if_the_ticket_is_invalid(press, helpdesk, directory, acme):
    TicketPolicy.objects.create(organization=acme, action="user.unlock", requirement="pattern", pattern="INC#####")

    response = press(helpdesk, "user.unlock", ticket="CHG1", htmx=True)

    assert response.status_code == 422
    assert "Enter a ticket number like INC12345." in response.text
    assert 'value="CHG1"' in response.text


def test_notice_of_a_deactivation_offers_undo(press, browser_of, helpdesk, pingone):
    states = [ada(), ada(enabled=False), ada(enabled=False), ada(enabled=False), ada()]
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


@pytest.mark.parametrize("htmx", [False, True], ids=["page", "fragment"])
def test_notice_of_no_change_offers_no_undo(press, browser_of, helpdesk, directory, htmx):
    client = browser_of(helpdesk)
    works(directory, "user.activate")

    response = press(client, "user.activate", htmx=htmx)

    text = response.text if htmx else client.get(response["Location"]).text
    assert "Ada Berg was already active. Nothing was changed." in text
    assert "/undo/" not in text
    assert last().outcome == "no change"


def test_undo_needs_the_permission_of_the_inverse_action(press, browser_of, helpdesk, auditor, stranger, directory):
    works(directory, "user.deactivate")
    shows(directory, ada(), ada(enabled=False))
    press(helpdesk, "user.deactivate")
    url = f"/o/acme/audit/{last().entry}/undo/"

    assert browser_of(auditor).post(url, {"submission": str(uuid4())}).status_code == 403
    assert browser_of(stranger).post(url, {"submission": str(uuid4())}).status_code == 404
    assert browser_of(stranger).post(url.replace("acme", "globex"), {"submission": str(uuid4())}).status_code == 404
    assert AuditEntry.objects.current().filter(action__startswith="user.").count() == 1


def test_undo_says_why_it_refuses(press, browser_of, helpdesk, directory):
    works(directory, "user.deactivate")
    shows(directory, ada(), ada(enabled=False), ada())  # somebody has activated them since
    press(helpdesk, "user.deactivate")

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
def test_user_page_offers_the_actions_that_fit_the_user(browser_of, org_admin, pingone, state, offered, not_offered):
    pingone.get(f"/users/{ADA}").respond(json=ada(**state))

    page = browser_of(org_admin).get(f"/o/acme/users/{ADA}/").text

    assert all(f"/actions/{key}/" in page for key in offered)
    assert not any(f"/actions/{key}/" in page for key in not_offered)


def test_auditor_is_offered_no_action(browser_of, auditor, directory):
    directory.get(f"/users/{ADA}/devices").respond(json=listing("devices", {"id": str(DEVICE), "type": "TOTP"}))
    directory.get(f"/users/{ADA}/memberOfGroups").respond(
        json=listing("groupMemberships", {"id": str(ENGINEERS), "type": "DIRECT"})
    )

    page = browser_of(auditor).get(f"/o/acme/users/{ADA}/?panels=all").text

    assert "/actions/" not in page
    assert 'id="working-on"' not in page


def test_device_panel_has_actions_on_each_line(browser_of, helpdesk, pingone):
    locked = {"id": str(DEVICE), "type": "TOTP", "lock": {"status": "LOCKED"}}
    other = {"id": str(SESSION), "type": "SMS"}
    pingone.get(f"/users/{ADA}/devices").respond(json=listing("devices", locked, other))
    pingone.get(f"/users/{ADA}/bypassMFA").respond(json={})

    panel = browser_of(helpdesk).get(f"/o/acme/users/{ADA}/panels/devices/", headers=HTMX).text

    assert panel.count("actions/device.unlock/") == 2  # the form's action and its hx-post
    assert f"actions/device.remove/?device_id={DEVICE}" in panel
    assert f"actions/device.remove/?device_id={SESSION}" in panel


def test_inherited_membership_cannot_be_removed(browser_of, helpdesk, pingone):
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


def test_form_of_a_move_says_if_the_groups_could_not_be_read(browser_of, org_admin, directory):
    directory.get(f"/users/{ADA}/memberOfGroups").respond(403, json=error("ACCESS_FAILED"))

    text = browser_of(org_admin).get(page_of(BY_KEY["user.move"])).text

    assert "The console could not read their groups." in text
    assert "Move" in text
