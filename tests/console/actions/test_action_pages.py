"""Actions on a user as their pages show them: forms and questions, what is told at fields, tickets, undo.

What goes for every action, by whomever and whatever PingOne answers, is in test_outcomes.py.
"""

import re
from collections.abc import Callable
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
    """Press the button of an action, as a page or, with `htmx`, as a fragment."""

    def press(operator: Operator | Client, key: str, *, htmx: bool = False, **fields: str) -> Any:
        client = operator if isinstance(operator, Client) else browser_of(operator)
        data = {"submission": str(uuid4())} | typed_for(BY_KEY[key]) | fields
        return client.post(page_of(BY_KEY[key]), data, headers=HTMX if htmx else {})

    return press


@pytest.fixture
def directory(pingone):
    """All that an action may read about Ada; the writes are each test's own."""
    pingone._assert_all_called = False
    for path, answer in readable().items():
        pingone.get(path).respond(json=answer)
    for path in (f"/users/{ADA}/memberOfGroups/{ENGINEERS}", "/schemas"):
        pingone.get(path).respond(404, json=error("NOT_FOUND"))
    return pingone


def works(pingone, key: str) -> Any:
    write = write_of(BY_KEY[key])
    return pingone.request(write.method, write.path).mock(return_value=directory_for(BY_KEY[key]).written)


def last() -> AuditEntry:
    return AuditEntry.objects.current().get()


@EVERY_ACTION
@pytest.mark.parametrize("htmx", [False, True], ids=["page", "fragment"])
def test_the_form_says_what_will_happen_and_what_not(browser_of, org_admin, directory, action, htmx):
    query = {name: value for name, value in typed_for(action).items() if name.endswith("_id")}

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


def test_a_form_without_its_token_is_not_accepted(browser_of, helpdesk, directory):
    response = browser_of(helpdesk).post(f"/o/acme/users/{ADA}/actions/user.unlock/", {})

    assert response.status_code == 422
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("key", ["user.dance", "user.create", "nothing"])
def test_what_is_not_an_action_on_a_user_is_not_found(browser_of, org_admin, pingone, key):
    assert browser_of(org_admin).get(f"/o/acme/users/{ADA}/actions/{key}/").status_code == 404


def test_a_wrong_username_deletes_nobody(press, org_admin, directory):
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
def test_a_time_must_be_soon_and_in_the_future(press, helpdesk, directory, until, complaint):
    response = press(helpdesk, "user.lock", until=until, htmx=True)

    assert response.status_code == 422
    assert complaint in response.text


def test_a_refused_value_is_told_at_its_field_and_nothing_typed_is_lost(press, helpdesk, directory):
    directory.patch(f"/users/{ADA}").respond(400, json=error("INVALID_DATA", "INVALID_VALUE", "name.given"))

    response = press(helpdesk, "user.update", given_name="Ada?", title="Chief", htmx=True)

    assert response.status_code == 422
    assert re.search(r'name="given_name" value="Ada\?"[^>]*aria-invalid="true"', response.text)
    assert "PingOne does not accept this value." in response.text
    assert 'value="Chief"' in response.text


def test_what_was_typed_survives_an_outage(press, helpdesk, directory):
    directory.patch(f"/users/{ADA}").mock(side_effect=httpx.ConnectError("no route"))

    response = press(helpdesk, "user.update", title="Chief of everything", htmx=True)

    assert response.status_code == 504
    assert 'value="Chief of everything"' in response.text
    assert "could not be reached" in response.text


def test_a_profile_that_is_not_changed_is_not_sent(press, helpdesk, directory):
    response = press(helpdesk, "user.update", title="Analyst", htmx=True)

    assert response.status_code == 422
    assert "Nothing is changed" in response.text


def test_a_profile_that_changed_meanwhile_is_not_overwritten(press, helpdesk, directory):
    response = press(helpdesk, "user.update", seen_at="2026-11-01T00:00:00+00:00", htmx=True)

    assert response.status_code == 409
    assert "The user has changed since" in response.text
    assert 'value="Chief"' in response.text
    assert last().error_kind == "changed-meanwhile"


def test_what_pingone_did_not_take_is_told(press, helpdesk, directory):
    directory.patch(f"/users/{ADA}").respond(json=ada())

    response = press(helpdesk, "user.update", nickname="Addie", title="Analyst", htmx=True)

    assert "PingOne did not take: nickname." in response.text


def test_the_ticket_in_hand_goes_with_every_button_until_it_is_changed(press, browser_of, helpdesk, directory):
    works(directory, "user.unlock")
    client = browser_of(helpdesk)
    client.post("/o/acme/working-on/", {"ticket": "INC12345", "user_id": str(ADA)})

    press(client, "user.unlock")
    assert last().ticket == "INC12345"
    assert 'value="INC12345"' in client.get(f"/o/acme/users/{ADA}/actions/user.lock/").text
    assert 'value="INC12345"' in client.get(f"/o/acme/users/{ADA}/").text


def test_where_a_ticket_is_required_the_button_leads_to_the_question(press, helpdesk, directory, acme):
    TicketPolicy.objects.create(organization=acme, action="user.unlock", requirement="pattern", pattern=r"INC\d+")

    response = press(helpdesk, "user.unlock", ticket="CHG1", htmx=True)

    assert response.status_code == 422
    assert "looks like INC\\d+" in response.text
    assert 'value="CHG1"' in response.text


def test_the_notice_of_a_deactivation_undoes_it(press, browser_of, helpdesk, pingone):
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
def test_notice_of_what_was_so_already_says_so_and_offers_no_undo(press, browser_of, helpdesk, directory, htmx):
    client = browser_of(helpdesk)
    works(directory, "user.activate")

    response = press(client, "user.activate", htmx=htmx)

    text = response.text if htmx else client.get(response["Location"]).text
    assert "Ada Berg was active already. Nothing was changed." in text
    assert "/undo/" not in text
    assert last().outcome == "no change"


def test_undo_is_for_those_who_may_do_the_inverse(press, browser_of, helpdesk, auditor, stranger, directory):
    works(directory, "user.deactivate")
    press(helpdesk, "user.deactivate")
    url = f"/o/acme/audit/{last().entry}/undo/"

    assert browser_of(auditor).post(url, {"submission": str(uuid4())}).status_code == 403
    assert browser_of(stranger).post(url, {"submission": str(uuid4())}).status_code == 404
    assert browser_of(stranger).post(url.replace("acme", "globex"), {"submission": str(uuid4())}).status_code == 404
    assert AuditEntry.objects.current().count() == 1


def test_undo_says_why_it_refuses(press, browser_of, helpdesk, directory):
    works(directory, "user.deactivate")
    press(helpdesk, "user.deactivate")  # the canned user stays enabled, as if somebody had activated them since
    directory.get(f"/users/{ADA}").respond(json=ada(enabled=False))

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


def test_an_auditor_is_offered_nothing(browser_of, auditor, directory):
    directory.get(f"/users/{ADA}/devices").respond(json=listing("devices", {"id": str(DEVICE), "type": "TOTP"}))
    directory.get(f"/users/{ADA}/memberOfGroups").respond(
        json=listing("groupMemberships", {"id": str(ENGINEERS), "type": "DIRECT"})
    )

    page = browser_of(auditor).get(f"/o/acme/users/{ADA}/?panels=all").text

    assert "/actions/" not in page
    assert "I am working on" not in page


def test_the_lines_of_a_panel_bring_their_own_actions(browser_of, helpdesk, pingone):
    locked = {"id": str(DEVICE), "type": "TOTP", "lock": {"status": "LOCKED"}}
    other = {"id": str(SESSION), "type": "SMS"}
    pingone.get(f"/users/{ADA}/devices").respond(json=listing("devices", locked, other))
    pingone.get(f"/users/{ADA}/bypassMFA").respond(json={})

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
