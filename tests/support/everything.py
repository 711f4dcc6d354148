"""PingOne's data about Ada Berg and everything related to her, as JSON by path."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import respx

from tests.support.answers import ADA, ENGINEERS, STAFF, ada, bo, listing
from tests.support.asking import DEVICE, SESSION, readable
from tests.support.people import API_URL, ENVIRONMENT


def everything() -> dict[str, Any]:
    """Return PingOne's data about Ada and everything related to her, by path."""
    group = {
        "id": str(ENGINEERS),
        "name": "Engineers",
        "description": "Field",
        "userFilter": 'title eq "x"',
        "population": {"id": str(STAFF)},
        "sourceType": "PING_ONE",
    }
    population = {"id": str(STAFF), "name": "Staff", "description": "People", "userCount": 2, "default": True}
    device = {"id": str(DEVICE), "type": "SMS", "phone": "+46.70", "nickname": "Work", "status": "ACTIVE"}
    session = {
        "id": str(SESSION),
        "createdAt": "2026-11-20T06:41:12.903Z",
        "browser": {"name": "Firefox"},
        "operatingSystem": {"name": "Linux"},
        "lastSignOn": {"remoteIp": "203.0.113.24", "withAuthenticator": "pwd"},
        "location": {"city": "Lund", "state": "Scania", "country": "Sweden"},
    }
    person = ada(
        nickname="Addie",
        accountId="A1",
        externalId="E1",
        type="staff",
        locale="sv",
        timezone="Europe/Stockholm",
        preferredLanguage="sv",
        primaryPhone="+46.1",
        photo={"href": "https://acme.test/ada.png"},
        address={"streetAddress": "Way 1", "locality": "Lund", "region": "Scania", "countryCode": "SE"},
        identityProvider={"id": str(STAFF), "type": "SAML"},
        costCentre="12",
    )
    return readable() | {
        "/users": listing("users", person, bo(email="bo@acme.test"), cursor="on"),
        f"/users/{ADA}": person,
        f"/users/{ADA}/devices": listing("devices", device),
        f"/users/{ADA}/devices/{DEVICE}": device,
        f"/users/{ADA}/bypassMFA": {"bypassMFAEnabledUntil": "2099-11-20T06:41:12.903Z"},
        f"/users/{ADA}/sessions": listing("sessions", session),
        f"/users/{ADA}/memberOfGroups": listing("groupMemberships", {**group, "type": "DIRECT"}),
        f"/users/{ADA}/password": {"status": "OK", "passwordPolicy": {"id": str(STAFF)}},
        "/groups": listing("groups", group),
        f"/groups/{ADA}": {**group, "id": str(ADA)},
        f"/groups/{ENGINEERS}": group,
        "/populations": listing("populations", population),
        f"/populations/{STAFF}": population,
        "/passwordPolicies": listing("passwordPolicies", {"id": str(STAFF), "name": "Standard"}),
        "/schemas": listing("schemas", {"id": str(STAFF), "name": "User"}),
        f"/schemas/{STAFF}/attributes": listing(
            "attributes",
            {"id": str(STAFF), "name": "costCentre", "displayName": "Cost centre", "type": "STRING", "enabled": True},
        ),
    }


@contextmanager
def unchanging(known: dict[str, Any], before: Callable[[httpx.Request], None] | None = None) -> Iterator[None]:
    """Let PingOne answer with `known`, by path. It accepts all writes, and changes nothing.

    `before` runs before each answer, for instance to hold it back.
    """

    def answer(request: httpx.Request) -> httpx.Response:
        if before:
            before(request)
        path = request.url.path.removeprefix(f"/v1/environments/{ENVIRONMENT}")
        if request.method == "DELETE":
            return httpx.Response(204)
        if request.method == "GET" and path not in known:
            return httpx.Response(404, json={"code": "NOT_FOUND"})
        return httpx.Response(200, json=known.get(path, known[f"/users/{ADA}"]))

    with respx.mock(base_url=API_URL, assert_all_called=False) as router:
        router.route().mock(side_effect=answer)
        yield
