"""Guards of operations: what they refuse, and what they demand of the operator, in `perform` and on the pages."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from django.test import Client
from django.utils import timezone

from console.access import OrgAccess, enter_org
from console.actions.demands import Demand
from console.models import AuditEntry, Operator
from console.perform import guards
from console.perform.guards import Ruling
from console.sessions.fresh import FRESH_FOR
from tests.support.answers import ADA, ada
from tests.support.asking import HTMX
from tests.support.performing import done, reads, refused, run

DEACTIVATE = f"/o/acme/users/{ADA}/actions/user.deactivate/"
BOTH = frozenset({Demand.REASON, Demand.FRESH_SIGN_IN})
PASSWORD = "correct horse battery"  # of every operator of the tests


@pytest.fixture
def access(helpdesk: Operator) -> OrgAccess:
    return enter_org(helpdesk, "acme")


@pytest.fixture
def rule(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that adds a guard, before or after the user is read, with this ruling."""

    def rule(when: str, **ruling: Any) -> None:
        monkeypatch.setattr(guards, when, (*getattr(guards, when), lambda *_: Ruling(**ruling)))

    return rule


@pytest.fixture
def signed_in(helpdesk: Operator) -> Client:
    """Return a browser in which the agent has signed in with the password just now."""
    client = Client()
    client.post("/accounts/login/", {"login": helpdesk.email, "password": PASSWORD})
    return client


@pytest.mark.parametrize("when", ["BEFORE_READING", "AFTER_READING"])
def test_refusal_of_a_guard_prevents_the_call_and_is_on_record(access, pingone, rule, when):
    rule(when, refusal="Not today.")
    if when == "AFTER_READING":
        reads(pingone, ada())

    assert str(refused(run(access, "user.deactivate")).reason) == "Not today."

    entry = AuditEntry.objects.get()
    assert (entry.outcome, entry.note) == ("refused", "Not today.")
    assert entry.subject_name == ("ada.berg" if when == "AFTER_READING" else "")


@pytest.mark.parametrize("when", ["BEFORE_READING", "AFTER_READING"])
@pytest.mark.parametrize(
    ("reason", "minutes_ago", "left"),
    [
        ("", None, BOTH),
        ("  ", 0, {Demand.REASON}),
        ("Left", None, {Demand.FRESH_SIGN_IN}),
        ("Left", 6, {Demand.FRESH_SIGN_IN}),
        ("Left", 4, set()),
    ],
)
def test_demands_are_met_by_a_reason_and_a_fresh_sign_in(access, pingone, rule, when, reason, minutes_ago, left):
    rule(when, demands=BOTH)
    if when == "AFTER_READING" or not left:
        reads(pingone, ada(), ada(enabled=False))
    if not left:
        pingone.put(f"/users/{ADA}/enabled").respond(json={"enabled": False})
    at = None if minutes_ago is None else timezone.now() - timedelta(minutes=minutes_ago)

    result = run(access, "user.deactivate", reason=reason, signed_in_at=at)

    if left:
        assert refused(result).demands == left
    else:
        done(result)


def test_demanded_reason_is_asked_on_the_form(signed_in, pingone, rule):
    rule("BEFORE_READING", demands=frozenset({Demand.REASON}))
    pingone.get(f"/users/{ADA}").respond(json=ada())

    response = signed_in.post(DEACTIVATE, {"submission": str(uuid4())})

    assert response.status_code == 422
    assert "Enter a reason." in response.text


def test_stale_sign_in_is_asked_for_again_and_the_form_keeps_its_input(
    signed_in, helpdesk, pingone, rule, time_machine
):
    rule("BEFORE_READING", demands=BOTH)
    wire = pingone.get(f"/users/{ADA}").respond(json=ada())
    time_machine.move_to(timezone.now() + FRESH_FOR + timedelta(seconds=1))
    typed = {"submission": str(uuid4()), "reason": "Lost laptop"}

    asked = signed_in.post(DEACTIVATE, typed)
    assert asked["Location"] == f"/accounts/reauthenticate/?next={DEACTIVATE.replace('/', '%2F')}"
    assert (
        signed_in.post(DEACTIVATE, typed | {"submission": str(uuid4())}, headers=HTMX)["HX-Redirect"]
        == asked["Location"]
    )
    back = signed_in.post(asked["Location"], {"password": PASSWORD, "next": DEACTIVATE}, follow=True)
    assert "You signed in again. Nothing was changed yet." in back.text
    assert "Lost laptop" in back.text

    wire.mock(side_effect=[httpx.Response(200, json=ada(enabled=on)) for on in (True, False, False)])
    pingone.put(f"/users/{ADA}/enabled").respond(json={"enabled": False})
    signed_in.post(DEACTIVATE, typed | {"submission": str(uuid4())})
    assert (
        AuditEntry.objects.current().filter(action="user.deactivate", outcome="succeeded").get().reason == "Lost laptop"
    )
