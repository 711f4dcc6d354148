"""What a page asks the database: three queries for who reads it and where, and beyond them only what it shows."""

import pytest
import respx
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from console.models import Membership
from tests.support.answers import ADA, ENGINEERS, STAFF, ada, answer_panels, listing
from tests.support.people import API_URL, ENVIRONMENT

READER = 3  # session; operator; membership with organization and connection
HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/o/acme/users/"}
USER = f"users/{ADA}/"

# Each page, whether it is a fragment, and its queries for what it shows.
PAGES = [
    ("", False, 1),  # what the operator sent lately
    ("users/", False, 0),
    ("users/", True, 0),
    (USER, False, 2),  # the latest audit entries, and whether the user is protected
    *((f"{USER}panels/{panel}/", True, 0) for panel in ("password", "devices", "groups", "sessions")),
    (f"{USER}actions/user.update/", True, 2),  # its ticket policy, and whether the user is protected
    ("groups/", False, 1),  # the populations of the last sync
    (f"groups/{ENGINEERS}/", False, 2),  # and whether the group is marked as protected
    ("populations/", False, 1),
    ("call-api/", False, 2),
    ("audit/", False, 1),
    ("troubleshooting/", False, 5),  # failed calls, whether a worker runs, what waits for it, the table of groups
    ("settings/connection/", False, 1),
    ("settings/members/", False, 3),  # members with factors, roles, invitations
    ("settings/single-sign-on/", False, 2),  # mapped groups, roles
    ("settings/policies/", False, 2),
    ("settings/policies/tickets/", False, 1),
    ("settings/policies/user-mails/", False, 1),
    ("settings/policies/limits/", False, 2),  # the values, and the limits that are reached
]


@pytest.fixture
def calls():
    """Mock all that the pages read."""
    cache.clear()
    with respx.mock(base_url=f"{API_URL}/v1/environments/{ENVIRONMENT}", assert_all_called=False) as pingone:
        pingone.get("/users").respond(json=listing("users", *[ada()] * 25))
        pingone.get(f"/users/{ADA}").respond(json=ada())
        pingone.get("/populations").respond(json=listing("populations", {"id": str(STAFF), "name": "Staff"}))
        pingone.get("/groups").respond(json=listing("groups", {"id": str(ENGINEERS), "name": "Engineers"}))
        pingone.get(f"/groups/{ENGINEERS}").respond(json={"id": str(ENGINEERS), "name": "Engineers"})
        pingone.get(f"/groups/{ENGINEERS}/roleAssignments").respond(json=listing("roleAssignments"))
        pingone.get("/schemas").respond(json=listing("schemas"))
        answer_panels(pingone)
        yield


def asked_for(client, path, *, is_fragment):
    """Return the queries of a page that was seen before."""
    headers = HTMX if is_fragment else {}
    client.get("/o/acme/")
    client.get(f"/o/acme/{path}", headers=headers)
    with CaptureQueriesContext(connection) as asked:
        response = client.get(f"/o/acme/{path}", headers=headers)
    assert response.status_code == 200
    return [query["sql"] for query in asked.captured_queries]


@pytest.mark.parametrize(("path", "is_fragment", "shown"), PAGES)
def test_page_reads_its_reader_in_three_queries(browser_of, org_admin, calls, path, is_fragment, shown):
    queries = asked_for(browser_of(org_admin), path, is_fragment=is_fragment)

    assert len(queries) == READER + shown, "\n".join(queries)


def test_other_organizations_cost_one_query(browser_of, org_admin, globex, calls):
    Membership.objects.create(organization=globex, operator=org_admin, role=Membership.Role.AUDITOR)

    assert len(asked_for(browser_of(org_admin), "users/", is_fragment=False)) == READER + 1
