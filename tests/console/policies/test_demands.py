"""What a role demands or forbids holds on every way in: page, fragment, several actions, Undo and command line."""

import io
from collections.abc import Callable
from html import unescape
from typing import Any
from uuid import uuid4

import httpx
import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from console.access import OrgAccess, enter_org
from console.actions.catalogue import BY_KEY
from console.actions.demands import Demand
from console.actions.outcome import Done, Refused
from console.actions.step import Step
from console.audit.entries import Circumstances
from console.models import AuditEntry, Operator, Organization
from console.perform import several, user_operation
from console.perform.several import perform_each
from console.perform.undo import may_undo, undo
from console.policies.explanation import explained
from console.rights.roles import Rights
from tests.support.answers import ADA, ENGINEERS, ada
from tests.support.asking import HTMX
from tests.support.performing import on_record, reads, refused, run
from tests.support.rights import give
from tests.support.sessions import signed_in_long_ago

HERE = f"/o/acme/users/{ADA}/actions/"
REASON, TICKET, FRESH = (frozenset({demand}) for demand in ("reason", "ticket", "fresh sign-in"))


def shown(response: Any) -> str:
    return " ".join(unescape(response.content.decode()).split())


@pytest.fixture
def agent(browser_of: Callable[[Operator], Client], helpdesk: Operator) -> Client:
    return browser_of(helpdesk)


@pytest.fixture
def access(helpdesk) -> OrgAccess:
    return enter_org(helpdesk, "acme")


def command(helpdesk: Operator, *arguments: str) -> tuple[int, str]:
    try:
        call_command("pingone", "acme", *arguments, "--as", helpdesk.email, stdout=io.StringIO())
    except CommandError as ended:
        return ended.returncode, str(ended)
    return 0, ""


def test_demanded_reason_is_asked_before_and_after(agent, helpdesk, access, pingone):
    give(helpdesk, Rights(actions={"user.activate": REASON}))
    pingone.get(f"/users/{ADA}").respond(json=ada(enabled=False))

    form = shown(agent.get(f"{HERE}user.activate/"))
    assert 'name="reason" cols="40" rows="2" maxlength="1000" required' in form
    for headers in ({}, HTMX):
        response = agent.post(f"{HERE}user.activate/", {"submission": str(uuid4())}, headers=headers)
        assert response.status_code == 422
    assert command(helpdesk, "user.activate", "--user", str(ADA))[0] == 2
    assert refused(run(access, "user.activate")).demands == {Demand.REASON}
    # The button leads to the form, because it could not act at once.
    page = agent.get(f"/o/acme/users/{ADA}/").content.decode()
    assert f'hx-get="{HERE}user.activate/"' in page
    assert f'hx-post="{HERE}user.activate/"' not in page


def test_demanded_ticket_is_asked_before_and_after(agent, helpdesk, access, pingone):
    give(helpdesk, Rights(actions={"user.activate": TICKET}))
    pingone.get(f"/users/{ADA}").respond(json=ada(enabled=False))

    assert "(needs a ticket)" in shown(agent.get(f"/o/acme/users/{ADA}/"))
    assert agent.post(f"{HERE}user.activate/", {"submission": str(uuid4())}).status_code == 422
    assert "needs a ticket" in str(refused(run(access, "user.activate")).reason)


def test_demanded_sign_in_holds_on_every_way(agent, helpdesk, access):
    give(helpdesk, Rights(actions={"user.activate": FRESH, "group.add": FRESH}))
    signed_in_long_ago(agent)
    sent = agent.post(f"{HERE}user.activate/", {"submission": str(uuid4())})
    assert sent["Location"].startswith("/accounts/reauthenticate/?next=")
    assert command(helpdesk, "user.activate", "--user", str(ADA))[1].startswith("Sign in again")
    undone = on_record(access, "user.deactivate", "succeeded", before={"enabled": True}, after={"enabled": False})
    assert refused(undo(access, undone, Circumstances())).demands == {Demand.FRESH_SIGN_IN}
    there = agent.post(f"/o/acme/audit/{undone.entry}/undo/", {"submission": str(uuid4())})
    assert there["Location"].startswith("/accounts/reauthenticate/?next=")
    ((_step, joined),) = perform_each(
        access, ADA, [Step(action=BY_KEY["group.add"], inputs={"group_id": ENGINEERS})], Circumstances()
    )
    assert joined is not None
    assert refused(joined).demands == {Demand.FRESH_SIGN_IN}


def test_undo_asks_for_the_reason_that_the_role_demands(agent, helpdesk, access):
    entry = on_record(access, "user.deactivate", "succeeded", before={"enabled": True}, after={"enabled": False})
    assert may_undo(access, entry)

    give(helpdesk, Rights(actions={"user.activate": REASON}))
    access = access.again()

    assert may_undo(access, entry)
    assert refused(undo(access, entry, Circumstances())).demands == {Demand.REASON}
    page = agent.post(f"/o/acme/audit/{entry.entry}/undo/", {"submission": str(uuid4())})
    assert page.status_code == 422
    assert "Enter a reason." in page.text


EMAIL = {"changes": {"email": "eve@evil.test"}, "seen": {}, "seen_at": None}


@pytest.fixture
def without_contacts(helpdesk: Operator) -> None:
    rights = Rights(actions={"user.update": frozenset(), "user.create": frozenset()}, fields=frozenset({"title"}))
    give(helpdesk, rights)


@pytest.mark.usefixtures("without_contacts")
def test_field_outside_the_role_is_neither_shown_nor_written(agent, helpdesk, access, pingone):
    pingone.get(f"/users/{ADA}").respond(json=ada())
    pingone.get("/schemas").respond(json={"_embedded": {"schemas": []}})

    form = agent.get(f"{HERE}user.update/").content.decode()
    assert 'name="title"' in form
    assert 'name="email"' not in form
    typed = {"submission": str(uuid4()), "title": "Chief", "email": "eve@evil.test"}
    for headers in ({}, HTMX):
        response = agent.post(f"{HERE}user.update/", typed, headers=headers)
        assert response.status_code == 422
        assert "Your role cannot edit: Email. Nothing was saved." in shown(response)
    code, told = command(helpdesk, "user.update", "--user", str(ADA), "--email", "eve@evil.test", "--title", "Chief")
    assert (code, told) == (2, "Your role cannot edit: Email. Nothing was saved.")
    assert str(refused(run(access, "user.update", inputs=EMAIL)).reason) == "Your role cannot edit: Email."
    created = {"profile": {"username": "eve", "email": "eve@evil.test"}, "population_id": None}
    assert str(refused(run(access, "user.create", None, inputs=created)).reason) == "Your role cannot edit: Email."
    changed = on_record(
        access,
        "user.update",
        "succeeded",
        before={"email": "ada@acme.test"},
        after={"email": "new@acme.test"},
        inputs={"changes": {"email": "new@acme.test"}},
    )
    assert str(refused(undo(access, changed, Circumstances())).reason) == "Your role cannot edit: Email."


@pytest.mark.usefixtures("without_contacts")
def test_custom_attributes_are_one_field(access, helpdesk):
    inputs = {"changes": {"badge": "7"}, "seen": {}, "seen_at": None}

    assert str(refused(run(access, "user.update", inputs=inputs)).reason) == "Your role cannot edit: badge."
    assert access.again().rights.may_edit("title")
    give(helpdesk, Rights(actions={"user.update": frozenset()}, fields=frozenset({"custom"})))
    assert access.again().rights.may_edit("badge")
    assert not access.again().rights.may_edit("email")


def test_right_taken_away_between_two_actions_stops_the_second(helpdesk, access, pingone, monkeypatch):
    give(helpdesk, Rights(actions={"user.deactivate": frozenset(), "sessions.end-all": frozenset()}))
    reads(pingone, ada(), ada(enabled=False))
    pingone.put(f"/users/{ADA}/enabled").respond(json={"enabled": False})
    perform = user_operation.perform

    def then_taken_away(*args: Any) -> Any:
        result = perform(*args)
        give(helpdesk, Rights(actions={"user.deactivate": frozenset()}))
        return result

    monkeypatch.setattr(several, "perform", then_taken_away)
    steps = [Step(action=BY_KEY["user.deactivate"]), Step(action=BY_KEY["sessions.end-all"])]

    results = perform_each(access, ADA, steps, Circumstances())

    assert [type(result) for _step, result in results] == [Done, Refused]
    assert [row.action for row in AuditEntry.objects.current()] == ["user.deactivate"]


def test_right_taken_away_in_the_middle_of_a_command_stops_it(helpdesk, pingone, monkeypatch):
    """The command looks the user up with the right, and acts without it."""

    def look_up(request: httpx.Request) -> httpx.Response:
        give(helpdesk, Rights(actions={"user.activate": frozenset()}))
        users = {"_embedded": {"users": [ada()]}, "count": 1}
        return httpx.Response(200, json=users)

    pingone.get("/users").mock(side_effect=look_up)

    code, told = command(helpdesk, "user.deactivate", "--user", "ada.berg")

    assert (code, told) == (4, f"{helpdesk.email} is not allowed to do this.")
    assert not AuditEntry.objects.filter(action="user.deactivate").exists()


def test_member_page_says_what_they_can_do_and_why(browser_of, org_admin, helpdesk, acme):
    give(helpdesk, Rights(actions={"user.unlock": REASON, "user.deactivate": frozenset()}))
    Organization.objects.filter(pk=acme.pk).update(
        locked_down_at="2026-11-20T10:00:00Z", lock_down_reason="Attack", required_tickets={"user.deactivate": "INC1"}
    )
    membership = acme.memberships.select_related("organization", "operator", "custom_role").get(operator=helpdesk)

    answers = {
        str(one.label): (one.allowed, " ".join(map(str, one.why))) for _, area in explained(membership) for one in area
    }
    assert answers["Unlock account"] == (
        False,
        "Allowed by the role “Of the test” of this organization. Needs: Reason. Stopped by the lock down: Attack",
    )
    assert answers["Deactivate"] == (True, "Allowed by the role “Of the test” of this organization. Needs: Ticket.")
    assert answers["Delete user"] == (False, "Not in the role “Of the test” of this organization.")
    page = shown(browser_of(org_admin).get(f"/o/acme/settings/members/{membership.pk}/"))
    assert "What can they do, and why?" in page
    assert "Needs: Reason. Stopped by the lock down: Attack" in page


def test_page_to_join_groups_needs_the_right_to_add(agent, helpdesk):
    """The right to remove comes with the same permission."""
    give(helpdesk, Rights(actions={"group.remove": frozenset()}))

    assert agent.get(f"/o/acme/users/{ADA}/groups/").status_code == 403
