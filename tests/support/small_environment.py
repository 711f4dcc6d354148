"""A mocked PingOne environment with administrators and groups: it answers reads, and keeps the writes that reach it."""

import io
import json
import re
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from time import time
from typing import Any
from uuid import UUID, uuid4

import httpx
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from console.models import Operator, Organization
from console.protection import groups as table
from pingone_integration.connection.open_api import open_api
from pingone_integration.values import pingone_time
from tests.support.answers import ADA, ENGINEERS, Json, ada, error, listing
from tests.support.people import ENVIRONMENT

ADMINS, TEAM = UUID(int=0xA1 << 96 | 0x4 << 76 | 0x8 << 60), UUID(int=0xA2 << 96 | 0x4 << 76 | 0x8 << 60)

_USER = re.compile(r"/users/([^/]+)(?:/(.*))?")
_GROUP = re.compile(r"/groups/([^/]+)(?:/(.*))?")


@dataclass
class SmallEnvironment:
    """Ada, the group Engineers, and what a test adds."""

    users: dict[UUID, Json] = field(default_factory=lambda: {ADA: ada()})
    groups: dict[UUID, Json] = field(default_factory=dict)  # by ID, with name and userFilter
    members: dict[UUID, set[UUID]] = field(default_factory=lambda: defaultdict(set))  # of a user: direct groups
    indirect: dict[UUID, set[UUID]] = field(default_factory=lambda: defaultdict(set))  # only in memberOfGroups
    nested: dict[UUID, set[UUID]] = field(default_factory=lambda: defaultdict(set))  # of a group: as PingOne lists them
    roles: set[UUID] = field(default_factory=set)  # users and groups that hold a role
    password_state: Json = field(default_factory=lambda: {"status": "OK", "lastChangedAt": "2026-01-02T10:00:00.000Z"})
    devices: list[Json] = field(default_factory=list)
    sessions: list[Json] = field(default_factory=lambda: [{"id": str(UUID(int=7)), "browser": {"name": "Firefox"}}])
    status: dict[str, int] = field(default_factory=dict)  # refusals, by the end of method and path
    requests: list[httpx.Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.add_group(ENGINEERS, "Engineers")

    def add_group(self, group_id: UUID, name: str, *, condition: str = "") -> UUID:
        self.groups[group_id] = {"id": str(group_id), "name": name} | ({"userFilter": condition} if condition else {})
        return group_id

    @property
    def writes(self) -> list[str]:
        return [f"{one.method} {_path(one)}" for one in self.requests if one.method not in {"GET", "HEAD"}]

    @property
    def reads(self) -> list[str]:
        return [_path(one) for one in self.requests if one.method == "GET"]

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        path = _path(request)
        for end, status in self.status.items():
            if f"{request.method} {path}".endswith(end):
                return httpx.Response(status, json=error("ACCESS_FAILED" if status == 403 else "UNEXPECTED_ERROR"))
        if request.method != "GET":
            return self._written(request, path)
        found = self._found(path)
        return httpx.Response(404, json=error("NOT_FOUND")) if found is None else httpx.Response(200, json=found)

    def _found(self, path: str) -> Json | None:
        if match := _USER.fullmatch(path):
            return self._of_user(UUID(match[1]), match[2] or "")
        if match := _GROUP.fullmatch(path):
            return self._of_group(UUID(match[1]), match[2] or "")
        return {
            "/groups": listing("groups", *self.groups.values()),
            "/users": listing("users", *self.users.values()),
            "/populations": listing("populations"),
            "/schemas": listing("schemas"),
        }.get(path)

    def _of_user(self, user_id: UUID, below: str) -> Json | None:
        if user_id not in self.users:
            return None
        if below.startswith("devices/"):
            return next((one for one in self.devices if below == f"devices/{one['id']}"), None)
        direct = self.members[user_id]
        every = sorted(direct | self.indirect[user_id])
        return {
            "": self.users[user_id] | {"memberOfGroupIDs": sorted(map(str, direct))},
            "roleAssignments": _assignments(user_id in self.roles),
            "memberOfGroups": listing("groupMemberships", *({"id": str(one), "type": "DIRECT"} for one in every)),
            "password": self.password_state,
            "devices": listing("devices", *self.devices),
            "sessions": listing("sessions", *self.sessions),
            "bypassMFA": {},
        }.get(below)

    def _of_group(self, group_id: UUID, below: str) -> Json | None:
        if group_id not in self.groups:
            return None
        nested = ({"id": str(one), "type": "DIRECT"} for one in sorted(self.nested[group_id]))
        return {
            "": self.groups[group_id],
            "roleAssignments": _assignments(group_id in self.roles),
            "memberOfGroups": listing("groupMemberships", *nested),
        }.get(below)

    def _written(self, request: httpx.Request, path: str) -> httpx.Response:
        if request.method == "DELETE":
            self.devices = [one for one in self.devices if not path.endswith(f"/devices/{one['id']}")]
            self.sessions = [one for one in self.sessions if not path.endswith(f"/sessions/{one['id']}")]
            return httpx.Response(204)
        if path == "/users":
            created = ada() | json.loads(request.content) | {"id": str(ADA)}
            return httpx.Response(201, json=created)
        if request.method == "PATCH" and path == f"/users/{ADA}":
            self.users[ADA] |= json.loads(request.content)
            return httpx.Response(200, json=self.users[ADA])
        if path == f"/users/{ADA}" and "account.lock" in request.headers.get("Content-Type", ""):
            until = json.loads(request.content)["unlockAt"]
            self.users[ADA] |= {"account": {"canAuthenticate": False, "status": "LOCKED", "unlockAt": until}}
        if path.endswith("/password") and request.method == "PUT":
            self.password_state = {"status": "MUST_CHANGE_PASSWORD", "lastChangedAt": pingone_time(timezone.now())}
        if path.endswith(("/enabled", "/mfaEnabled")):
            self.users[ADA] |= json.loads(request.content)
        return httpx.Response(200, json={"id": str(ADA)})


def read_groups(organization: Organization) -> None:
    """Fill the organization's table of groups, as the worker does."""
    table.read(organization, open_api(organization.connection))


def browser(operator: Operator, *, fresh: bool = True) -> Client:
    """Return a browser where the operator is signed in. `fresh`: since a moment ago; otherwise long since."""
    client = Client()
    client.force_login(operator)
    session = client.session
    session["account_authentication_methods_user"] = str(operator.pk)
    session["account_authentication_methods"] = [{"method": "password", "at": time() - (0 if fresh else 3600)}]
    session.save()
    return client


def send(client: Client, key: str, *, htmx: bool = False, **typed: str) -> str:
    """Send the form of an action. Return where it leads, or the page that answers."""
    headers = {"HX-Request": "true", "HX-Target": "action"} if htmx else {}
    url = f"/o/acme/users/{ADA}/actions/{key}/"
    response: Any = client.post(url, {"submission": str(uuid4())} | typed, headers=headers)
    return response.headers.get("HX-Redirect") or response.headers.get("Location") or str(response.content.decode())


def press(client: Client, key: str, *, htmx: bool = False, **typed: str) -> str:
    """Send the form of an action. Return the page that follows, or the address to sign in again."""
    answer = send(client, key, htmx=htmx, **typed)
    return str(client.get(answer).content.decode()) if answer.startswith("/o/") else answer


def command(operator: Operator, *arguments: str) -> str:
    output = io.StringIO()
    with suppress(SystemExit):
        try:
            call_command("pingone", "acme", *arguments, "--as", operator.email, stdout=output)
        except CommandError as ended:
            return str(ended)
    return output.getvalue()


def call_api(client: Client, method: str, path: str, body: Any = None, *, media_type: str = "", **typed: str) -> str:
    """Compose and send a request of Call API. Return the page."""
    sent = body if isinstance(body, str) else json.dumps(body) if body is not None else ""
    data = {"method": method, "path": path, "query": "", "media_type": media_type, "body": sent}
    response: Any = client.post("/o/acme/call-api/", data | {"submission": str(uuid4()), "reason": "Asked"} | typed)
    return str(response.content.decode())


def _path(request: httpx.Request) -> str:
    return request.url.path.removeprefix(f"/v1/environments/{ENVIRONMENT}")


def _assignments(holds: bool) -> Json:
    return listing("roleAssignments", *([{"id": str(UUID(int=1))}] if holds else []))
