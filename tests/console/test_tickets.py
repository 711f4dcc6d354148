"""The ticket that an operator works on: it belongs to one user, and a required one is announced before one presses."""

import re
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from console.actions.catalogue import BY_KEY
from console.models import AuditEntry, Organization, TicketPolicy
from console.tickets import current_ticket, set_current_ticket, working_on
from tests.support.answers import ADA, BO, ada, answer_panels, bo, listing
from tests.support.asking import HTMX

QUESTION = "You worked on <bdi>INC12345</bdi> for another user."


def page(user_id: UUID) -> str:
    return f"/o/acme/users/{user_id}/"


def sets_ticket(client: Client, user_id: UUID, ticket: str = "INC12345") -> None:
    client.post("/o/acme/working-on/", {"ticket": ticket, "user_id": str(user_id)})


@pytest.fixture
def people(pingone):
    """Mock Ada and Bo, who is locked."""
    pingone._assert_all_called = False
    answer_panels(pingone)
    locked = {"canAuthenticate": False, "status": "LOCKED"}
    for user_id, user in ((ADA, ada(account=locked)), (BO, bo(account=locked))):
        pingone.get(f"/users/{user_id}").respond(json=user)
        pingone.post(f"/users/{user_id}").respond(json={})
        pingone.get(f"/users/{user_id}/memberOfGroups").respond(json=listing("groupMemberships"))
    for kind in ("groups", "populations", "schemas"):
        pingone.get(f"/{kind}").respond(json=listing(kind))
    return pingone


@pytest.fixture
def client(browser_of, org_admin):
    return browser_of(org_admin)


def unlock(client: Client, user_id: UUID, *, htmx: bool = False, **more: str) -> str:
    """Press the button and return the ticket on record."""
    url = f"{page(user_id)}actions/user.unlock/"
    client.post(url, {"submission": str(uuid4())} | more, headers=HTMX if htmx else {})
    return str(AuditEntry.objects.order_by("sequence").filter(subject_id=str(user_id)).last().ticket)  # type: ignore[union-attr]


@pytest.mark.parametrize("htmx", [False, True], ids=["page", "fragment"])
def test_ticket_of_one_user_is_not_recorded_with_the_next(client, people, htmx):
    sets_ticket(client, ADA)

    assert unlock(client, BO, htmx=htmx) == ""
    assert unlock(client, ADA, htmx=htmx) == "INC12345"


@pytest.mark.parametrize(
    "form",
    [
        f"{page(BO)}actions/user.deactivate/",
        f"{page(BO)}actions/user.update/",
        f"{page(BO)}groups/",
        "/o/acme/users/new/",
        "/o/acme/call-api/",
    ],
)
def test_no_form_for_another_subject_is_filled_with_the_ticket(client, people, form):
    sets_ticket(client, ADA)
    data = {"method": "DELETE", "path": f"/users/{BO}", "media_type": "application/json"}

    shown = client.post(form, data) if "call-api" in form else client.get(form)

    assert 'name="ticket"' in shown.text
    assert "INC12345" not in shown.text


def test_next_user_asks_to_keep_or_drop_the_ticket(client, people):
    sets_ticket(client, ADA)
    assert QUESTION not in client.get(page(ADA)).text

    asked = client.get(page(BO)).text
    assert QUESTION in asked
    assert "Is it for <bdi>bo.ek</bdi> as well?" in re.sub(r"\s+", " ", asked)
    assert dict(re.findall(r'name="ticket" value="([^"]*)">(\w+ ticket)<', asked)) == {
        "INC12345": "Keep ticket",
        "": "Drop ticket",
    }


def test_kept_ticket_is_recorded_with_both(client, people):
    sets_ticket(client, ADA)

    sets_ticket(client, BO)

    assert QUESTION not in client.get(page(BO)).text
    assert unlock(client, BO) == unlock(client, ADA) == "INC12345"


def test_dropped_ticket_is_asked_about_no_more_and_stays_with_its_user(client, people):
    sets_ticket(client, ADA)

    sets_ticket(client, BO, "")

    assert QUESTION not in client.get(page(BO)).text
    assert unlock(client, BO) == ""
    assert unlock(client, ADA) == "INC12345"


def test_ticket_beside_a_pressed_button_is_kept_for_the_user(client, people):
    assert unlock(client, ADA, htmx=True, ticket="INC7") == "INC7"

    assert 'value="INC7"' in client.get(page(ADA)).text
    assert "hx-include" in client.get(page(ADA)).text.partition("user.unlock/")[2].partition(">")[0]


def test_ticket_of_another_organization_is_never_offered(client, people, globex, org_admin):
    globex.operators.add(org_admin, through_defaults={"role": "org_admin"})
    client.post("/o/globex/working-on/", {"ticket": "INC12345", "user_id": str(ADA)})

    assert "INC12345" not in client.get(page(BO)).text
    assert "INC12345" not in client.get(page(ADA)).text


def test_ticket_that_is_too_long_changes_nothing(client, people):
    response = client.post("/o/acme/working-on/", {"ticket": "x" * 101, "user_id": str(ADA)})

    assert response["Location"] == page(ADA)
    assert "at most 100 characters" in client.get(page(ADA)).text
    assert client.post("/o/acme/working-on/", {"ticket": "INC1", "user_id": "nobody"}).status_code == 404


USERS = [uuid4() for _ in range(3)]
STEPS = st.lists(
    st.tuples(st.sampled_from(USERS), st.sampled_from(["set", "keep", "drop", "look"]), st.sampled_from(["A1", "B2"]))
)


@settings(deadline=None)
@given(STEPS)
def test_users_in_several_tabs_never_mix(steps: list[tuple[UUID, str, str]]) -> None:
    request: Any = SimpleNamespace(session={}, access=SimpleNamespace(org=SimpleNamespace(pk=1)))
    agreed: dict[UUID, str] = {}
    for user_id, step, ticket in steps:
        offered = working_on(request, user_id).offered
        if step == "set" or (step == "keep" and offered):
            agreed[user_id] = ticket if step == "set" else offered
            set_current_ticket(request, user_id, agreed[user_id])
        elif step == "drop":
            agreed[user_id] = ""
            set_current_ticket(request, user_id, "")
        assert {one: current_ticket(request, one) for one in USERS} == {one: agreed.get(one, "") for one in USERS}


def test_only_the_tickets_of_the_last_users_are_kept() -> None:
    request: Any = SimpleNamespace(session={}, access=SimpleNamespace(org=SimpleNamespace(pk=1)))
    users = [uuid4() for _ in range(60)]
    for user_id in users:
        set_current_ticket(request, user_id, "INC1")

    assert [current_ticket(request, user_id) for user_id in users] == [""] * 10 + ["INC1"] * 50


@pytest.mark.parametrize(
    ("pattern", "announced"),
    [("", "(needs a ticket)"), ("INC#####", "(needs a ticket like INC12345)")],
    ids=["any", "INC"],
)
def test_required_ticket_is_announced_on_the_button(client, people, acme: Organization, pattern, announced):
    def buttons() -> list[str]:
        html = client.get(page(ADA)).text + client.get(f"{page(ADA)}panels/password/", headers=HTMX).text
        found = re.findall(r'class="btn btn-sm[^>]*>(.*?)</(?:button|a)>', html, re.DOTALL)
        return [" ".join(re.sub(r"<[^>]+>", " ", one).split()) for one in found]

    client.get(page(ADA))  # notes that the session was seen
    with CaptureQueriesContext(connection) as without:
        assert "Unlock account" in buttons()
    for key in ("user.unlock", "password.unlock", "user.deactivate"):
        requirement = "pattern" if pattern else "required"
        TicketPolicy.objects.create(organization=acme, action=key, requirement=requirement, pattern=pattern)

    with CaptureQueriesContext(connection) as asked:
        labels = buttons()

    assert {f"{BY_KEY[key].label} {announced}" for key in ("user.unlock", "password.unlock")} <= set(labels)
    assert f"Deactivate {announced}" in labels
    assert "Lock until…" not in labels
    assert "Edit profile" in labels
    assert len(asked) == len(without)
    assert "INC#" not in client.get(page(ADA)).text
    sets_ticket(client, ADA)
    assert "needs a ticket" not in " ".join(buttons())


def test_optional_ticket_is_no_longer_announced(client, people, acme):
    policy = TicketPolicy.objects.create(organization=acme, action="user.unlock", requirement="required")
    policy.requirement = "optional"
    policy.save()
    assert "needs a ticket" not in client.get(page(ADA)).text

    TicketPolicy.objects.create(organization=acme, action="user.lock", requirement="required").delete()
    acme.refresh_from_db()
    assert acme.required_tickets == {}


@pytest.mark.parametrize("form", [f"{page(ADA)}actions/user.lock/", f"{page(ADA)}groups/", "/o/acme/users/new/"])
def test_form_announces_a_required_ticket_by_an_example(client, people, acme, form):
    for key in ("user.lock", "group.add", "user.create"):
        TicketPolicy.objects.create(organization=acme, action=key, requirement="pattern", pattern="INC#####")
    people.get(f"/users/{ADA}").respond(json=ada())

    shown = client.get(form).text

    assert "Enter a ticket number like INC12345." in shown
    assert "INC#####" not in shown
    assert "required" in shown.partition('name="ticket"')[2].partition(">")[0]


def test_policies_show_an_example_of_each_pattern(client, acme):
    TicketPolicy.objects.create(organization=acme, action="user.lock", requirement="pattern", pattern="CHG###")

    assert "For example CHG123" in client.get("/o/acme/settings/policies/tickets/").text
