"""Helpers for the troubleshooting page at a mocked PingOne: the requests and the results on the page."""

import re
from collections.abc import Iterator
from html import unescape

import respx
from django.test import Client

from console.actions.catalogue import ACTIONS
from tests.support.answers import error, listing
from tests.support.people import ADMINISTRATORS, API_URL, ENVIRONMENT
from tests.support.sign_on import ISSUER, MARA, discoverable

PAGE = "/o/acme/troubleshooting/"


MANAGED = f"{API_URL}/v1/environments/{ENVIRONMENT}"


FORBIDDEN = error("ACCESS_FAILED", "INSUFFICIENT_PERMISSIONS")


EVERY_ROW = ["Get user", "List users", *(str(action.name) for action in ACTIONS), "Call API"]


def works(wire: respx.MockRouter, *permissions: str) -> None:
    """Mock a PingOne without failures, where Mara has one role with these permissions."""
    discoverable(wire)
    wire.post(f"{ISSUER}/token").respond(400, json={"error": "invalid_grant"})
    environment = {"id": str(ENVIRONMENT), "name": "E"}
    wire.get(f"{API_URL}/v1/environments").respond(json=listing("environments", environment))
    wire.get(MANAGED).respond(json=environment)
    for what in ("users", "populations", "groups"):
        wire.get(f"{MANAGED}/{what}").respond(json=listing(what))
    wire.get(f"{MANAGED}/capabilities").respond(json={"licenseQuantities": {"rlgDirAccessRps": {"limit": 100}}})
    wire.get(f"{MANAGED}/rateLimitIpConfigs").respond(json=listing("rateLimitIpConfigs"))
    holds(wire, *permissions)


def states(html: str) -> dict[str, str]:
    return dict(re.findall(r'data-check="([^"]+)" data-state="([^"]+)"', html))


def steps(admin: Client) -> Iterator[tuple[str, str]]:
    """Request the checks one after the other, as htmx does, and yield each check's key and HTML."""
    html = admin.get(f"{PAGE}checks/", headers=HTMX).text
    assert "<html" not in html
    while following := re.search(r'hx-get="([^"]+/checks/([a-z-]+)/\?then=[^"]*)" hx-trigger="load"', html):
        assert f'data-check="{following[2]}" data-state="running"' in html
        html = admin.get(unescape(following[1]), headers=HTMX).text
        yield following[2], html


HTMX = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{PAGE}"}


PERSON = f"{API_URL}/v1/environments/{ADMINISTRATORS}/users/{MARA}"


ROLE = "d4c30000-0000-4000-8000-000000000001"


def holds(wire: respx.MockRouter, *permissions: str) -> None:
    assignment = {"id": str(MARA), "role": {"id": ROLE}, "scope": {"id": str(ENVIRONMENT), "type": "ENVIRONMENT"}}
    role = {"id": ROLE, "name": "Some role", "permissions": [{"id": one} for one in permissions]}
    wire.get(f"{PERSON}/roleAssignments").respond(json=listing("roleAssignments", assignment))
    wire.get(f"{PERSON}/memberOfGroups").respond(json=listing("groupMemberships"))
    wire.get(f"{API_URL}/v1/roles").respond(json=listing("roles", role))
    wire.get(f"{MANAGED}/roles").respond(json=listing("roles", role))
