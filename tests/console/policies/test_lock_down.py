"""Lock down: a switch of org admins that stops whatever gives access, on every way in. Agents see the reason."""

from datetime import timedelta
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from console.access import enter_org
from console.actions.catalogue import ACTIONS
from console.audit.entries import Circumstances
from console.call_api.api_call import ApiCall, perform_call
from console.models import AuditEntry, Operator, Organization
from console.policies import lock_down
from console.rights.roles import Rights
from console.sessions.fresh import FRESH_FOR
from pingone_integration.calls.any_endpoint import Endpoint
from tests.support.answers import ADA, ada
from tests.support.performing import done, reads, refused, run
from tests.support.rights import give

PAGE = "/o/acme/settings/policies/lock-down/"
PASSWORD = "correct horse battery"  # of every operator of the tests
GIVES_ACCESS = {  # written by hand: activating, codes, passwords, unlocking, creating, joining, MFA off or bypassed
    "user.activate",
    "user.unlock",
    "user.create",
    "user.update",  # of a contact
    "user.move",  # other policies and groups apply there
    "user.verify-email",
    "password.send-recovery-code",
    "password.force-change",  # ends a lock
    "password.unlock",
    "password.set-temporary",
    "mfa.disable",
    "mfa.bypass",
    "device.unlock",
    "group.add",
}


def shown(response: Any) -> str:
    return " ".join(unescape(response.content.decode()).split())


@pytest.fixture
def signed_in(org_admin: Operator) -> Client:
    """Return a browser in which the org admin has signed in with the password just now."""
    client = Client()
    client.post("/accounts/login/", {"login": org_admin.email, "password": PASSWORD})
    return client


@pytest.fixture
def locked_down(acme: Organization) -> None:
    Organization.objects.filter(pk=acme.pk).update(locked_down_at=timezone.now(), lock_down_reason="Callers lie")


def test_actions_that_give_access():
    assert {action.key for action in ACTIONS if action.may_give_access} == GIVES_ACCESS


def test_switch_needs_a_reason_and_is_on_record(signed_in, acme, helpdesk, browser_of):
    AuditEntry.objects.count()
    assert signed_in.post(PAGE, {"on": "1", "reason": " "}).status_code == 422

    assert "Locked down." in shown(signed_in.post(PAGE, {"on": "1", "reason": "Callers lie"}, follow=True))
    strip = shown(browser_of(helpdesk).get("/o/acme/"))
    assert "Locked down: nothing that gives access can be done." in strip
    assert "Callers lie" in strip
    signed_in.post(PAGE, {"on": "1", "reason": "Again"})
    assert "has ended" in shown(signed_in.post(PAGE, {"on": "0", "reason": "Over"}, follow=True))

    assert not enter_org(helpdesk, "acme").org.is_locked_down
    of_switch = AuditEntry.objects.filter(action__startswith="lock-down.").order_by("sequence")
    assert list(of_switch.values_list("action", "reason")) == [
        ("lock-down.started", "Callers lie"),
        ("lock-down.ended", "Over"),
    ]


def test_switch_needs_a_fresh_sign_in_and_keeps_the_reason(signed_in, acme, time_machine):
    time_machine.move_to(timezone.now() + FRESH_FOR + timedelta(seconds=1))

    asked = signed_in.post(PAGE, {"on": "1", "reason": "Callers lie"})

    assert asked["Location"].startswith("/accounts/reauthenticate/?next=")
    acme.refresh_from_db()
    assert not acme.is_locked_down
    back = signed_in.post(asked["Location"], {"password": PASSWORD, "next": PAGE}, follow=True)
    assert "Callers lie" in back.text


def test_switch_is_for_org_admins(browser_of, helpdesk, acme):
    give(helpdesk, Rights(pages=frozenset({"policies.manage", "enter", "users.view"})))  # type: ignore[arg-type]
    access = enter_org(helpdesk, "acme")

    with pytest.raises(lock_down.Refused, match="Only org admins"):
        lock_down.switch(access, on=True, reason="Mine", signed_in_at=timezone.now(), source_address="")
    acme.refresh_from_db()
    assert not acme.is_locked_down


@pytest.mark.usefixtures("locked_down")
@pytest.mark.parametrize("action", [action for action in ACTIONS if action.needs_user], ids=lambda action: action.key)
def test_action_that_gives_access_is_refused_for_everybody(org_admin, action):
    """Without a request to PingOne: none is mocked here. What takes access away gets as far as asking PingOne."""
    inputs: dict[str, Any] = {"changes": {"email": "new@acme.test"}} if action.key == "user.update" else {}
    attempt = (enter_org(org_admin, "acme"), action.key)

    if action.key not in GIVES_ACCESS:
        assert not action.gives_access(inputs)
        return
    result = refused(run(*attempt, inputs=inputs))
    assert str(result.reason) == "Acme is locked down, and nothing that gives access can be done: Callers lie"
    assert AuditEntry.objects.get().outcome == "refused"


@pytest.mark.usefixtures("locked_down")
def test_what_takes_access_away_continues(browser_of, helpdesk, pingone):
    reads(pingone, ada(), ada(enabled=False))
    pingone.put(f"/users/{ADA}/enabled").respond(json={"enabled": False})

    done(run(enter_org(helpdesk, "acme"), "user.deactivate"))


@pytest.mark.usefixtures("locked_down")
def test_refusal_shows_the_reason_on_the_page(browser_of, helpdesk, pingone):
    pingone.get(f"/users/{ADA}").respond(json=ada(enabled=False))
    client = browser_of(helpdesk)

    response = client.post(f"/o/acme/users/{ADA}/actions/user.activate/", {"submission": str(uuid4())}, follow=True)

    assert "nothing that gives access can be done: Callers lie" in shown(response)


@pytest.mark.usefixtures("locked_down")
@pytest.mark.parametrize(("method", "stopped"), [("POST", True), ("PUT", True), ("DELETE", True), ("GET", False)])
def test_writes_by_call_api_are_stopped(org_admin, pingone, method, stopped):
    if not stopped:
        pingone.get("/users").respond(json={})
    endpoint = Endpoint(path="users", query=())
    call = ApiCall(method=method, endpoint=endpoint, media_type="application/json", body="{}")

    result = perform_call(enter_org(org_admin, "acme"), call, Circumstances(reason="Test"))

    assert (AuditEntry.objects.current().get().outcome == "refused") is stopped
    assert not stopped or "locked down" in str(refused(result).reason)
