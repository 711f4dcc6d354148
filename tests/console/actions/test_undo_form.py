"""Undo on the page: the ticket of the present case where the policy requires one, and what guards demand."""

from uuid import UUID, uuid4

import httpx
import pytest

from console.access import enter_org
from console.actions.demands import Demand
from console.models import AuditEntry, TicketPolicy
from console.perform import guards
from console.perform.guards import Ruling
from tests.support.answers import ADA, ada
from tests.support.performing import on_record
from tests.support.sessions import signed_in_long_ago

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture
def deactivated(acme, helpdesk) -> AuditEntry:
    before, after = {"enabled": True}, {"enabled": False}
    access = enter_org(helpdesk, "acme")
    return on_record(access, "user.deactivate", "succeeded", before=before, after=after, ticket="INC1")


@pytest.fixture
def activates(pingone):
    """Let PingOne activate Ada, and return the route that does."""
    wire = pingone.put(f"/users/{ADA}/enabled").respond(json={"enabled": True})
    pingone.get(f"/users/{ADA}").mock(side_effect=lambda _: httpx.Response(200, json=ada(enabled=wire.called)))
    return wire


def url(entry):
    return f"/o/acme/audit/{entry.entry}/undo/"


def last():
    return AuditEntry.objects.current().exclude(undoes=None).latest("sequence")


def require(organization, action="user.activate", pattern=""):
    requirement = "pattern" if pattern else "required"
    TicketPolicy.objects.create(organization=organization, action=action, requirement=requirement, pattern=pattern)


def test_undo_asks_for_the_ticket_of_the_present_case(acme, helpdesk, browser_of, deactivated, activates):
    require(acme)
    client = browser_of(helpdesk)

    asked = client.post(url(deactivated), {"submission": str(uuid4())})
    assert (asked.status_code, activates.called) == (200, False)
    assert 'name="ticket"' in asked.text
    assert "INC1" not in asked.text  # the case of then
    refused = client.post(url(deactivated), {"submission": str(uuid4()), "ticket": ""})
    assert (refused.status_code, activates.called) == (422, False)
    client.post(url(deactivated), {"submission": str(uuid4()), "ticket": "INC2"})

    assert (last().ticket, last().outcome) == ("INC2", "succeeded")


def test_form_has_the_current_ticket_of_the_user(acme, helpdesk, browser_of, deactivated, activates):
    require(acme, pattern="INC#")
    client = browser_of(helpdesk)
    client.post("/o/acme/working-on/", {"user_id": str(ADA), "ticket": "INC7"})

    assert 'value="INC7"' in client.post(url(deactivated), {"submission": str(uuid4())}).text
    assert 'value="INC7"' in client.get(url(deactivated)).text
    wrong = client.post(url(deactivated), {"submission": str(uuid4()), "ticket": "CHG1"})
    assert (wrong.status_code, activates.called) == (422, False)
    client.post(url(deactivated), {"submission": str(uuid4()), "ticket": "INC7"})
    assert last().ticket == "INC7"


def test_undo_without_a_required_ticket_runs_at_once_with_the_current_one(helpdesk, browser_of, deactivated, activates):
    client = browser_of(helpdesk)
    client.post("/o/acme/working-on/", {"user_id": str(ADA), "ticket": "INC7"})

    client.post(url(deactivated), {"submission": str(uuid4())})

    assert (last().ticket, last().outcome) == ("INC7", "succeeded")


def test_double_click_on_undo_gets_its_outcome_and_no_form(acme, helpdesk, browser_of, deactivated, activates):
    client, submission = browser_of(helpdesk), str(uuid4())
    client.post(url(deactivated), {"submission": submission})
    require(acme)

    again = client.post(url(deactivated), {"submission": submission}, follow=True)

    assert "This was already done." in again.text
    assert activates.call_count == 1


def demand(monkeypatch, demanded):
    monkeypatch.setattr(guards, "BEFORE_READING", (lambda _: Ruling(demands=frozenset({demanded})),))


def test_undo_asks_for_a_reason_that_a_guard_demands(helpdesk, browser_of, deactivated, activates, monkeypatch):
    demand(monkeypatch, Demand.REASON)
    client = browser_of(helpdesk)

    asked = client.post(url(deactivated), {"submission": str(uuid4()), "reason": " "})
    assert (asked.status_code, "Enter a reason." in asked.text, activates.called) == (422, True, False)
    client.post(url(deactivated), {"submission": str(uuid4()), "reason": "Came back"})

    assert (last().reason, last().outcome) == ("Came back", "succeeded")


def test_undo_asks_for_a_fresh_sign_in_that_a_guard_demands(helpdesk, browser_of, deactivated, monkeypatch):
    demand(monkeypatch, Demand.FRESH_SIGN_IN)

    asked = signed_in_long_ago(browser_of(helpdesk)).post(url(deactivated), {"submission": str(uuid4())})

    assert asked["Location"] == f"/accounts/reauthenticate/?next={url(deactivated).replace('/', '%2F')}"


def test_nothing_to_undo_is_not_found(acme, helpdesk, browser_of, deactivated):
    client = browser_of(helpdesk)

    assert client.get(f"/o/acme/audit/{UUID(int=1)}/undo/").status_code == 404
    assert client.post(url(deactivated)).status_code == 404
