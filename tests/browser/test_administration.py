"""Groups, populations, Call API, members and policies, with any names of people and groups."""

from collections.abc import Iterator

import pytest
import respx
from playwright.sync_api import expect

from console.models import Operator, Organization, SavedApiCall
from pingone_integration import population_sync
from pingone_integration.connection.open_api import open_api
from tests.support.answers import ADA, ENGINEERS, STAFF, ada, listing
from tests.support.browser import Check, NewPage
from tests.support.people import API_URL, ENVIRONMENT

HOSTILE = "<b>مريم</b> {{ 7*7 }} " + "W" * 200


@pytest.fixture
def directory() -> Iterator[respx.MockRouter]:
    """A fake PingOne where everything has a hostile name."""
    group = {"id": str(ENGINEERS), "name": HOSTILE, "description": HOSTILE, "userFilter": f'title eq "{HOSTILE}"'}
    population = {"id": str(STAFF), "name": HOSTILE, "description": HOSTILE, "default": True, "userCount": 7}
    with respx.mock(base_url=f"{API_URL}/v1/environments/{ENVIRONMENT}", assert_all_called=False) as pingone:
        pingone.get("/groups").respond(json=listing("groups", group, cursor="on"))
        pingone.get(f"/groups/{ENGINEERS}").respond(json=group)
        pingone.get(f"/groups/{ENGINEERS}/roleAssignments").respond(json=listing("roleAssignments", {"id": str(ADA)}))
        pingone.get("/populations").respond(json=listing("populations", population))
        named = {"username": HOSTILE, "email": HOSTILE, "name": {"given": HOSTILE, "family": HOSTILE}}
        pingone.get("/users").respond(json=listing("users", ada(**named), cursor="on"))
        pingone.post("/users").respond(400, json={"id": str(ADA), "code": "INVALID_DATA", "message": HOSTILE})
        yield pingone


def test_administration_pages_are_accessible_and_fit_with_any_names(
    new_page: NewPage,
    assert_accessible: Check,
    directory: respx.MockRouter,
    acme: Organization,
    org_admin: Operator,
) -> None:
    Operator.objects.filter(pk=org_admin.pk).update(name=HOSTILE[:150])
    SavedApiCall.objects.create(organization=acme, name=HOSTILE[:100], method="GET", path="/users", media_type="")
    page = new_page(org_admin)
    addresses = ("groups/", f"groups/{ENGINEERS}/?add=x", "populations/", "call-api/", "settings/members/")
    policies = [f"settings/policies/{part}" for part in ("", "tickets/", "lock-down/", "roles/helpdesk_agent/")]
    member = f"settings/members/{acme.memberships.get(operator=org_admin).pk}/"
    for address in (*addresses, *policies, member):
        page.goto(f"/o/acme/{address}")
        assert_accessible(page)

    population_sync.sync(acme.connection, open_api(acme.connection))
    page.goto("/o/acme/populations/")
    assert_accessible(page)


@pytest.mark.parametrize("javascript", [True, False])
def test_call_api_write_is_confirmed_and_answered(
    new_page: NewPage,
    assert_accessible: Check,
    directory: respx.MockRouter,
    org_admin: Operator,
    javascript: bool,
) -> None:
    page = new_page(org_admin, java_script_enabled=javascript)
    page.goto("/o/acme/call-api/")
    page.get_by_label("Method").select_option("POST")
    page.get_by_label("Path").fill("/users")
    page.get_by_label("Body").fill('{"username": "x"}')
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("This may change data in Acme production.")).to_be_visible()
    page.get_by_label("Reason").fill("Import of one")

    page.get_by_role("button", name="Send POST").click()

    expect(page.get_by_role("heading", name="Response: 400 Bad Request")).to_be_visible()
    expect(page.get_by_label("Response body")).to_contain_text("<b>مريم</b> {{ 7*7 }}")
    if javascript:
        assert_accessible(page)
