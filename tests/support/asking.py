"""Requests for every action of the catalogue, by page, by fragment and by command, at a mocked PingOne.

The input and the expected request derive from the action's entry in the catalogue.
"""

import io
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from functools import partial
from html import unescape
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import httpx
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from console.actions import limits
from console.actions.catalogue import ACTIONS, Action
from console.models import Operator
from tests.support.answers import ADA, ENGINEERS, Json, ada, anew, error, listing
from tests.support.people import ENVIRONMENT

DEVICE = UUID("a1d00000-0000-4000-8000-000000000001")
SESSION = UUID("465b0000-0000-4000-8000-000000000001")
HTMX = {"HX-Request": "true", "HX-Target": "action"}

_IDS = {"user": ADA, "device": DEVICE, "group": ENGINEERS, "session": SESSION}
_TYPED = {  # by field; `until` is in a few hours
    "username": "ada.berg",
    "title": "Chief",
    "nickname": "Work",
    "population_id": str(ENGINEERS),
    "device_id": str(DEVICE),
    "group_id": str(ENGINEERS),
    "session_id": str(SESSION),
}
_TOLD = {  # the notice after each action at the `Directory`, with its objects named
    "user.activate": "Activated {user}.",
    "user.deactivate": "Deactivated {user}.",
    "user.unlock": "Unlocked {user}'s account.",
    "user.lock": "Locked {user}'s account.",
    "user.delete": "Deleted {user}.",
    "password.send-recovery-code": "Sent a recovery code to {user}.",
    "password.force-change": "Forced a password change for {user}.",
    "password.unlock": "Unlocked {user}'s password.",
    "password.set-temporary": "Set a temporary password for {user}.",
    "password.replace": "Replaced {user}'s password with one that nobody knows.",
    "mfa.enable": "Switched MFA on for {user}.",
    "mfa.disable": "Switched MFA off for {user}.",
    "mfa.bypass": "Set an MFA bypass for {user}.",
    "mfa.end-bypass": "Ended the MFA bypass of {user}.",
    "device.remove": "Removed the device Authenticator app from {user}.",
    "device.unlock": "Unlocked {user}'s device Authenticator app.",
    "device.rename": "Renamed {user}'s device Authenticator app to Work.",
    "user.create": "Created {user}.",
    "user.update": "Saved {user}'s profile.",
    "user.move": "Moved {user} to Other.",
    "user.verify-email": "Sent a verification email to {user}.",
    "group.add": "Added {user} to Engineers.",
    "group.remove": "Removed {user} from Engineers.",
    "session.end": "Signed {user} out of the session Firefox on Linux.",
    "sessions.end-all": "Signed {user} out of {sessions}.",
}
_PAGES = {"user.create": "new-user"}  # actions that are not on a user's page


def shape_of(action: Action) -> tuple[bool, ...]:
    """Return the properties of an action that pages and commands branch on. The rest is wording and its own call."""
    form = action.form
    asks = (bool(form.visible_inputs()), form.looks_at_user, form.looks_at_schema, form.takes_parts)
    return (action.needs_user, action.is_risky, bool(action.secret_result), *asks)


def one_of_each_shape() -> list[Action]:
    """Return the first action of each shape in the catalogue. A new shape is included automatically.

    All actions run through one `perform`, two pages and one command. Their handling of a failure, a token or a
    double-submit depends on the shape alone, so one action of each shape proves it for all.
    """
    return list({shape_of(action): action for action in reversed(ACTIONS)}.values())


def typed_for(action: Action) -> dict[str, str]:
    """Return the minimal valid input for the action's form."""
    fields = {name: field for name, field in action.form.base_fields.items() if name not in action.form.COMMON}
    asked = ["title"] if action.form.takes_parts else [name for name, field in fields.items() if field.required]
    until = (timezone.now() + timedelta(hours=20)).strftime("%Y-%m-%dT%H:%M")
    why = {"reason": "Asked for"} if action.limits is limits.of_bypass else {}
    return {name: until if name == "until" else _TYPED[name] for name in asked} | why


def told_of(action: Action, user: str, *, sessions: str = "1 session") -> str:
    """Return the expected notice. `user` is the name of the user in it, `sessions` says how many were ended."""
    return _TOLD[action.key].format(user=user, sessions=sessions)


def page_of(action: Action) -> str:
    if action.needs_user:
        return reverse("user-action", args=["acme", ADA, action.key])
    return reverse(_PAGES[action.key], args=["acme"])


@dataclass(frozen=True)
class Write:
    """The one request that an action must send."""

    method: str
    path: str  # under the environment
    media_type: str  # the operation in it; empty for plain JSON or no body


def write_of(action: Action) -> Write:
    """Parse `action.endpoint`, for instance `POST /users/{user} (account.unlock)`."""
    said = re.fullmatch(r"(\w+) (\S+)(?: \((\S+)\))?", action.endpoint.removesuffix(", for each"))
    assert said, f"{action.endpoint} does not name a request"
    return Write(said[1], re.sub(r"\{(\w+)\}", lambda name: str(_IDS[name[1]]), said[2]), said[3] or "")


Answer = httpx.Response | Exception


@dataclass
class Directory:
    """Acme's environment: the data about Ada that can be read, and the answers to writes, in order."""

    written: httpx.Response
    answers: list[Answer] = field(default_factory=list)  # used first; then `written`
    rejected: str = ""  # the access token that is refused for writes
    before: dict[str, Json] = field(default_factory=dict)  # overrides of `readable()` until the first write
    after: dict[str, Json | None] = field(default_factory=dict)  # overrides from then on; None: gone
    requests: list[httpx.Request] = field(default_factory=list)
    has_effect: bool = True  # whether `written` takes effect
    effect_of_others: bool = False  # whether the effect is there after any write, for another reason
    taken: int = 0  # writes that had an effect

    @property
    def writes(self) -> list[httpx.Request]:
        return [request for request in self.requests if request.method != "GET"]

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if request.method == "GET":
            answer: Answer = self._read(_below_environment(request))
        elif request.headers["Authorization"] == f"Bearer {self.rejected}":
            answer = httpx.Response(401, json=error("ACCESS_FAILED", "INVALID_TOKEN"))
        else:
            answer = self.answers.pop(0) if self.answers else self.written
            if self.effect_of_others or (answer is self.written and self.has_effect):
                self.take(request)
        if isinstance(answer, Exception):
            raise anew(answer)
        return answer

    def take(self, request: httpx.Request) -> None:
        """Let a write have its effect."""
        self.taken += 1
        if request.url.path.endswith("/bypassMFA"):
            self.after = {f"/users/{ADA}/bypassMFA": json.loads(request.content)}

    def _read(self, path: str) -> httpx.Response:
        is_before = not self.writes or not self.has_effect
        known: dict[str, Json | None] = {**readable(), **(self.before if is_before else {})}
        if self.taken:
            known |= self.after
        if known.get(path) is None:
            return httpx.Response(404, json=error("NOT_FOUND"))
        return httpx.Response(200, json=known[path])


def readable() -> dict[str, Json]:
    """Return the data that an action can read, by path. Any other path answers 404."""
    engineers = {"id": str(ENGINEERS), "name": "Engineers"}
    return {
        f"/users/{ADA}": ada(),
        f"/users/{ADA}/password": {"status": "OK"},
        f"/users/{ADA}/bypassMFA": {},
        f"/users/{ADA}/devices": listing("devices"),
        f"/users/{ADA}/devices/{DEVICE}": {"id": str(DEVICE), "type": "TOTP"},
        f"/users/{ADA}/memberOfGroups": listing("groupMemberships"),
        f"/users/{ADA}/sessions": listing(
            "sessions", {"id": str(SESSION), "browser": {"name": "Firefox"}, "operatingSystem": {"name": "Linux"}}
        ),
        f"/users/{ADA}/roleAssignments": listing("roleAssignments"),
        f"/groups/{ENGINEERS}": engineers,
        f"/groups/{ENGINEERS}/roleAssignments": listing("roleAssignments"),
        f"/groups/{ENGINEERS}/memberOfGroups": listing("groupMemberships"),
        "/groups": listing("groups", engineers),
        "/populations": listing("populations", {"id": str(ENGINEERS), "name": "Other"}),
        "/users": listing("users"),
    }


_NOT_YET_SO: dict[str, dict[str, Json]] = {  # before actions whose effect is Ada's default state
    "user.activate": {f"/users/{ADA}": ada(enabled=False)},
    "user.unlock": {f"/users/{ADA}": ada(account={"canAuthenticate": False, "status": "LOCKED"})},
    "mfa.enable": {f"/users/{ADA}": ada(mfaEnabled=False)},
    "mfa.end-bypass": {f"/users/{ADA}/bypassMFA": {"bypassMFAEnabledUntil": "2099-12-01T09:30:00.000Z"}},
    "device.unlock": {
        f"/users/{ADA}/devices/{DEVICE}": {"id": str(DEVICE), "type": "TOTP", "lock": {"status": "LOCKED"}}
    },
    "group.remove": {f"/users/{ADA}/memberOfGroups/{ENGINEERS}": {"id": str(ENGINEERS), "type": "DIRECT"}},
    "password.unlock": {f"/users/{ADA}/password": {"status": "PASSWORD_LOCKED_OUT"}},
}


_OTHER = {"id": str(ENGINEERS), "name": "Other"}
_EFFECTS: dict[str, dict[str, Json | None]] = {  # after actions whose effect is not Ada's default state
    "user.deactivate": {f"/users/{ADA}": ada(enabled=False)},
    "user.lock": {
        f"/users/{ADA}": ada(account={"canAuthenticate": False, "status": "LOCKED", "unlockAt": "2026-01-01T00:00:00Z"})
    },
    "user.delete": {f"/users/{ADA}": None},
    "user.update": {f"/users/{ADA}": ada(title="Chief")},
    "user.move": {f"/users/{ADA}": ada(population=_OTHER, _embedded={"population": _OTHER})},
    "password.force-change": {f"/users/{ADA}/password": {"status": "MUST_CHANGE_PASSWORD"}},
    "password.set-temporary": {
        f"/users/{ADA}/password": {"status": "MUST_CHANGE_PASSWORD", "lastChangedAt": "2026-11-20T06:41:12.903Z"}
    },
    "password.replace": {
        f"/users/{ADA}/password": {"status": "MUST_CHANGE_PASSWORD", "lastChangedAt": "2026-11-20T06:41:12.903Z"}
    },
    "mfa.disable": {f"/users/{ADA}": ada(mfaEnabled=False)},
    "device.remove": {f"/users/{ADA}/devices/{DEVICE}": None},
    "device.rename": {f"/users/{ADA}/devices/{DEVICE}": {"id": str(DEVICE), "type": "TOTP", "nickname": "Work"}},
    "group.add": {f"/users/{ADA}/memberOfGroups/{ENGINEERS}": {"id": str(ENGINEERS), "type": "DIRECT"}},
    "session.end": {f"/users/{ADA}/sessions": listing("sessions")},
    "sessions.end-all": {f"/users/{ADA}/sessions": listing("sessions")},
}


def directory_for(action: Action) -> Directory:
    """Return a directory that accepts the action's write, and then shows its effect."""
    before, after = _NOT_YET_SO.get(action.key, {}), _EFFECTS.get(action.key, {})
    if write_of(action).method == "DELETE":
        return Directory(httpx.Response(204), before=before, after=dict(after))
    written = ada(title="Chief") if action.key == "user.update" else ada()
    return Directory(httpx.Response(200, json=written), before=before, after=dict(after))


def _below_environment(request: httpx.Request) -> str:
    return request.url.path.removeprefix(f"/v1/environments/{ENVIRONMENT}")


def sent(request: httpx.Request) -> Write:
    media_type = request.headers.get("Content-Type", "").removeprefix("application/vnd.pingidentity.")
    plain = media_type in {"", "application/json"}
    return Write(request.method, _below_environment(request), "" if plain else media_type.removesuffix("+json"))


@dataclass(frozen=True)
class Told:
    """The result of running an action."""

    status: int  # HTTP status, or the exit code of a command
    text: str  # the text the operator reads, after a redirect within the organization
    sent_to: str = ""  # the path of a redirect


class Way(StrEnum):
    PAGE = "page"
    FRAGMENT = "fragment"
    COMMAND = "command"


Ask = Callable[..., Told]


def asking(way: Way, operator: Operator | None) -> Ask:
    """Return a function that runs actions as the operator. With None, no one is signed in."""
    if way is Way.COMMAND:
        return partial(_command, operator)
    client = Client()
    if operator:
        client.force_login(operator)
    return partial(_send, client, way is Way.FRAGMENT)


def _send(client: Client, fragment: bool, action: Action, **more: str) -> Told:
    """Fill in the action's form and send it."""
    data = {"submission": str(uuid4())} | typed_for(action) | more
    response: Any = client.post(page_of(action), data, headers=HTMX if fragment else {})
    sent_to = response.headers.get("HX-Redirect") or response.headers.get("Location", "")
    text = response.content.decode()
    assert not (fragment and "<html" in text)
    if sent_to.startswith("/o/"):
        text = client.get(sent_to).content.decode()
    return Told(response.status_code, unescape(text), urlsplit(sent_to).path)


def _command(operator: Operator | None, action: Action, **more: str) -> Told:
    output = io.StringIO()
    try:
        call_command(
            "pingone",
            "acme",
            action.key,
            *(["--user", str(ADA)] if action.needs_user else []),
            *options(typed_for(action) | more),
            "--as",
            operator.email if operator else "nobody@acme.test",
            stdout=output,
        )
    except CommandError as ended:
        return Told(ended.returncode, str(ended))
    return Told(0, output.getvalue())


def options(typed: dict[str, str]) -> list[str]:
    """Return the fields of a form as command-line options."""
    return [part for name, value in typed.items() for part in (f"--{name.replace('_', '-')}", value)]
