"""An agent who sees the users of one population, and somebody outside it.

The fake PingOne ignores every filter and accepts every write: what keeps the agent away is the console alone.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import httpx
from django.core.cache import cache

from console.models import AuditEntry, Membership, Operator, Organization
from console.rights.roles import BUILT_IN
from tests.support.answers import ADA, ENGINEERS, STAFF, Json, ada, listing
from tests.support.asking import DEVICE, SESSION
from tests.support.everything import everything, unchanging
from tests.support.record import happened

PARTNERS = UUID("0d9e8f7a-1b2c-4d3e-8f90-a1b2c3d4e5f7")  # a population that the agent does not see
OUTSIDER = UUID("c0a8f3d2-41b7-4e9a-9d0e-7b6a5c4d3e99")  # a user in it
HOMELESS = UUID("c0a8f3d2-41b7-4e9a-9d0e-7b6a5c4d3e98")  # a user without a population
NOBODY = UUID("c0a8f3d2-41b7-4e9a-9d0e-7b6a5c4d3e97")  # a user whom PingOne does not have
HIDDEN = "Zyxw"  # part of everything that PingOne and the audit log tell of the two


def outsider(**changes: Any) -> Json:
    about = {
        "id": str(OUTSIDER),
        "username": f"{HIDDEN}.user",
        "email": f"{HIDDEN}@acme.test",
        "name": {"given": HIDDEN, "family": HIDDEN},
        "title": HIDDEN,
        "mobilePhone": f"+46.{HIDDEN}",
        "population": {"id": str(PARTNERS)},
        "_embedded": {"population": {"id": str(PARTNERS), "name": f"{HIDDEN} partners"}},
    }
    return ada(**about) | changes


def homeless() -> Json:
    return {key: value for key, value in outsider(id=str(HOMELESS)).items() if key not in {"population", "_embedded"}}


def all_that_pingone_knows() -> dict[str, Any]:
    """Return PingOne's data by path: of Ada, whom the agent sees, and of the two whom they do not see."""
    known = everything()
    group = {"id": str(ENGINEERS), "name": "Engineers", "type": "DIRECT", "directMemberCounts": {"users": 4242}}
    known["/users"] = listing("users", ada(), outsider(), homeless(), cursor="on", count=4242)
    for path in ("/groups", f"/groups/{ADA}", f"/groups/{ENGINEERS}"):
        counted = {"directMemberCounts": {"users": 4242}, "totalMemberCounts": {"users": 4242}}
        known[path] = listing("groups", group) if path == "/groups" else known[path] | counted
    for user_id, user in ((OUTSIDER, outsider()), (HOMELESS, homeless())):
        device = {"id": str(DEVICE), "type": "SMS", "nickname": HIDDEN, "status": "ACTIVE"}
        session = {"id": str(SESSION), "createdAt": "2026-11-20T06:41:12.903Z", "browser": {"name": HIDDEN}}
        known |= {
            f"/users/{user_id}": user,
            f"/users/{user_id}/devices": listing("devices", device),
            f"/users/{user_id}/devices/{DEVICE}": device,
            f"/users/{user_id}/bypassMFA": {},
            f"/users/{user_id}/sessions": listing("sessions", session),
            f"/users/{user_id}/memberOfGroups": listing("groupMemberships", group | {"name": HIDDEN}),
            f"/users/{user_id}/memberOfGroups/{ENGINEERS}": group | {"name": HIDDEN},
            f"/users/{user_id}/password": {"status": "OK", "passwordPolicy": {"name": HIDDEN}},
        }
    partners = {"id": str(PARTNERS), "name": f"{HIDDEN} partners", "userCount": 4242}
    known["/populations"] = listing("populations", {"id": str(STAFF), "name": "Staff", "userCount": 2}, partners)
    return known


@contextmanager
def careless_pingone(known: dict[str, Any] | None = None) -> Iterator[list[httpx.Request]]:
    """Let PingOne answer everybody about everybody. Yield the requests."""
    cache.clear()
    requests: list[httpx.Request] = []
    with unchanging(all_that_pingone_knows() if known is None else known, before=requests.append):
        yield requests


def narrow(operator: Operator, *populations: UUID) -> Operator:
    """Let the operator see the users of these populations only."""
    Membership.objects.filter(operator=operator).update(populations=[str(one) for one in populations])
    return operator


def give_every_right(organization: Organization) -> None:
    """Give agents every permission, so that only the populations are left to refuse."""
    organization.role_overrides = {Membership.Role.HELPDESK_AGENT: BUILT_IN[Membership.Role.ORG_ADMIN].stored()}
    organization.save(update_fields=["role_overrides"])


def writes_in(requests: list[httpx.Request]) -> list[httpx.Request]:
    return [request for request in requests if request.method not in {"GET", "HEAD"}]


def entry_outside(organization: Organization, operator: Operator, **more: Any) -> AuditEntry:
    """Record an action on the user outside."""
    named: dict[str, Any] = {"name": f"{HIDDEN}.user", "full_name": f"{HIDDEN} Hidden", "email": f"{HIDDEN}@acme.test"}
    about: dict[str, Any] = {"user_id": OUTSIDER, "population_id": PARTNERS, "note": HIDDEN, "ticket": f"INC{HIDDEN}"}
    return happened(organization, operator, **(named | about | more))


def entry_inside(organization: Organization, operator: Operator, **more: Any) -> AuditEntry:
    return happened(organization, operator, **({"population_id": STAFF} | more))


def without_ids(text: str) -> str:
    """Return a page without what differs from one request to the next."""
    text = re.sub(r'value="[^"]{30,}"', "", text)  # signatures
    text = re.sub(r'name="csrfmiddlewaretoken" value="[^"]*"|nonce="[^"]*"|[xX]-?[cC][sS][rR][fF][^,}]*', "", text)
    return re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID", text)
