"""PingOne's answers about users, for the mocked PingOne of the tests."""

import json
from typing import Any
from uuid import UUID

import httpx
import respx

ADA = UUID("c0a8f3d2-41b7-4e9a-9d0e-7b6a5c4d3e21")
BO = UUID("c0a8f3d2-41b7-4e9a-9d0e-7b6a5c4d3e22")
STAFF = UUID("0d9e8f7a-1b2c-4d3e-8f90-a1b2c3d4e5f6")
ENGINEERS = UUID("7f6e5d4c-3b2a-4190-8f7e-6d5c4b3a2910")

Json = dict[str, Any]


def ada(**changes: Any) -> Json:
    """Return a user who can sign in. A change to None leaves the member out."""
    user: Json = {
        "id": str(ADA),
        "_embedded": {"population": {"id": str(STAFF), "name": "Staff"}},
        "account": {"canAuthenticate": True, "status": "OK"},
        "createdAt": "2026-03-02T08:11:54.207Z",
        "email": "ada.berg@acme.test",
        "emailVerified": True,
        "enabled": True,
        "environment": {"id": "5b1f0c7e-9a34-4f0d-8c55-2f6e0d9a7711"},
        "identityProvider": {"type": "PING_ONE"},
        "lastSignOn": {"at": "2026-11-20T06:41:12.903Z", "remoteIp": "203.0.113.24"},
        "lifecycle": {"status": "ACCOUNT_OK"},
        "memberOfGroupIDs": [],
        "mfaEnabled": True,
        "mobilePhone": "+46.701234567",
        "name": {"given": "Ada", "family": "Berg"},
        "population": {"id": str(STAFF)},
        "title": "Analyst",
        "updatedAt": "2026-11-20T06:41:12.950Z",
        "username": "ada.berg",
        "verifyStatus": "NOT_INITIATED",
    }
    return {key: value for key, value in (user | changes).items() if value is not None}


def bo(**changes: Any) -> Json:
    """Return another user, with the fewest members that PingOne sends."""
    return {
        "id": str(BO),
        "username": "bo.ek",
        "population": {"id": str(STAFF)},
        "enabled": True,
        "memberOfGroupIDs": [],
    } | changes


def listing(collection: str, *items: Json, cursor: str = "", back: str = "", **more: Any) -> Json:
    """Return one page of a list. `cursor` is the pagination cursor of the next page, `back` of the previous page."""
    links = {"next": cursor, "prev": back}
    return {
        "_links": {
            relation: {"href": f"https://api.pingone.test/v1/{collection}?cursor={place}"}
            for relation, place in links.items()
            if place
        },
        "_embedded": {collection: list(items)},
        "size": len(items),
        **more,
    }


def error(code: str, detail: str = "", target: str = "", **inner: Any) -> Json:
    """Return PingOne's error envelope."""
    details = [{"code": detail, "target": target, "message": "for developers", "innerError": inner}] if detail else []
    return {"id": "a8f8ecb4-df02-4e4a-a94d-a60c3299d5b6", "code": code, "message": "for developers", "details": details}


def anew(failure: Exception) -> Exception:
    """Return a copy to raise. An exception that is raised twice keeps its old tracebacks and all they reference."""
    return type(failure)(*failure.args)


HOSTILE_NAMES = {
    "markup": "<script>alert(1)</script>",
    "an attribute": '"><img src=x onerror=alert(1)>',
    "template syntax": "{{7*7}}{% debug %}",
    "a right-to-left override": "\u202egnp.exe",
    "Arabic": "مريم العلي",
    "great length": "W" * 256,
    "control characters": "a\x00b\x1b[31mc",
    "half a surrogate pair": "\ud83d",
}


def answer_panels(pingone, name="Field engineers"):
    membership = {"id": str(ENGINEERS), "name": name, "type": "DIRECT"}
    device = {"id": str(BO), "type": "SMS", "status": "ACTIVE", "phone": "+46701234567", "nickname": name}
    session = {"id": str(BO), "browser": {"name": name}, "activeAt": "2026-11-20T07:02:55.666Z"}
    answers = {
        "memberOfGroups": listing("groupMemberships", membership),
        "devices": listing("devices", device),
        "bypassMFA": {},
        "password": {"status": "PASSWORD_LOCKED_OUT", "secondsUntilUnlock": 61},
        "sessions": listing("sessions", session),
    }
    for path, answer in answers.items():
        pingone.get(f"/users/{ADA}/{path}").mock(return_value=httpx.Response(200, content=json.dumps(answer)))


def shows_joined_group(router: respx.MockRouter, user_id: UUID, group_id: UUID) -> None:
    """Answer reads of a membership: direct once a write of it was answered with 201, and not found before."""

    def answer(request: httpx.Request) -> httpx.Response:
        for call in router.calls:
            joins = call.request.method == "POST" and call.has_response and call.response.status_code == 201
            if joins and json.loads(call.request.content) == {"id": str(group_id)}:
                return httpx.Response(200, json={"id": str(group_id), "type": "DIRECT"})
        return httpx.Response(404, json=error("NOT_FOUND"))

    router.get(f"/users/{user_id}/memberOfGroups/{group_id}").mock(side_effect=answer)
