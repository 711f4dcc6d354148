"""A mocked PingOne environment with a person for plans, whose writes take effect, and runs of plans on them."""

import json
import re
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from unittest.mock import patch
from uuid import UUID

import httpx
from django.db.models import F
from django.utils import timezone

from console.access import enter_org
from console.audit.entries import Circumstances
from console.models import Operator, Organization, PlanRun, PlanRunStep, PlanWork, RecoveryPolicy
from console.plans import engine, runs
from console.plans.dates import When
from console.plans.definition import Definition
from console.plans.newcomer import newcomer
from console.plans.shipped_plans import shipped
from pingone_integration import users
from pingone_integration.values import pingone_time
from tests.support.answers import STAFF, Json, error, listing
from tests.support.many_people import ManyPeople

PERSON = UUID("00000000-0000-4000-8000-0000000000b1")
LEAVERS = UUID("00000000-0000-4000-8000-0000000000c1")
VPN, MAIL = UUID("00000000-0000-4000-8000-0000000000d1"), UUID("00000000-0000-4000-8000-0000000000d2")
PHONE, KEY = UUID("00000000-0000-4000-8000-0000000000e1"), UUID("00000000-0000-4000-8000-0000000000e2")

_USER = re.compile(r"/users/([^/]+)(?:/(.*))?")


@dataclass
class PlanPeople(ManyPeople):
    """One person, Kim, in two groups and one by a rule, with two devices and a session that the list keeps."""

    open_sessions: set[UUID] = field(default_factory=set)
    bypass: Json = field(default_factory=dict)
    attributes: list[Json] = field(default_factory=list)  # the custom ones of the user schema
    populations: list[Json] = field(default_factory=list)
    first_groups: int | None = None  # so many in a list that was not searched; None: all
    new: dict[UUID, Json] = field(default_factory=dict)  # the password states of those who were created

    def __post_init__(self) -> None:
        super().__post_init__()
        self.add(1, id=str(PERSON), username="kim.lund", email="kim@acme.test", timezone="Europe/Stockholm")
        self.add_group(VPN, "VPN")
        self.add_group(MAIL, "Mail")
        self.members[PERSON] = {VPN, MAIL}
        self.indirect[PERSON] = {self.add_group(UUID(int=(4 << 76) + (8 << 60) + 0xF1), "Everybody", condition="true")}
        self.devices = [{"id": str(one), "type": "TOTP", "status": "ACTIVE"} for one in (PHONE, KEY)]
        self.sessions = [{"id": str(UUID(int=7))}]

    @property
    def kim(self) -> Json:
        return self.users[PERSON]

    def _of_user(self, user_id: UUID, below: str) -> Json | None:
        if below == "bypassMFA":
            return self.bypass
        if below == "password":
            return self.new.get(user_id, self.password_state)
        if below == "sessions":
            return listing("sessions", *self.sessions)
        if below == "memberOfGroups" and user_id in self.users:
            kinds = dict.fromkeys(self.indirect[user_id], "INDIRECT") | dict.fromkeys(self.members[user_id], "DIRECT")
            every = (self.groups[one] | {"type": kind} for one, kind in sorted(kinds.items()))
            return listing("groupMemberships", *every)
        return super()._of_user(user_id, below)

    def _found(self, path: str) -> Json | None:
        if path.startswith("/schemas/"):
            return listing("attributes", *self.attributes)
        if path == "/groups":
            return listing("groups", *self._groups(self.requests[-1].url.params.get("filter", "")))
        if path == "/populations":
            return listing("populations", *self.populations)
        if path.startswith("/sessions/"):
            return {"id": path.rpartition("/")[2]} if UUID(path.rpartition("/")[2]) in self.open_sessions else None
        return super()._found(path)

    def _groups(self, sought: str) -> list[Json]:
        if match := re.fullmatch('name sw "(.*)"', sought):
            return [one for one in self.groups.values() if one["name"].casefold().startswith(match[1].casefold())]
        return list(self.groups.values())[: self.first_groups]

    def _write(self, request: httpx.Request, path: str) -> httpx.Response:
        if path == "/users":
            return self._created(request, path)
        match = _USER.fullmatch(path)
        below = match[2] or "" if match else ""
        if below == "bypassMFA":
            self.bypass = json.loads(request.content)
            return httpx.Response(200, json=self.bypass)
        if match and below == "password":
            state = {"status": "MUST_CHANGE_PASSWORD", "lastChangedAt": pingone_time(timezone.now())}
            if UUID(match[1]) in self.new:
                self.new[UUID(match[1])] = state
            else:
                self.password_state = state
            return httpx.Response(200, json=state)
        if match and request.method == "DELETE" and UUID(match[1]) in self.users:
            if not below:
                del self.users[UUID(match[1])]
                return httpx.Response(204)
            kind, _slash, of = below.partition("/")
            listed = {"devices": self.devices, "sessions": self.sessions}.get(kind)
            if listed is not None:
                kept = [one for one in listed if one["id"] != of]
                if len(kept) == len(listed):
                    return httpx.Response(404, json=error("NOT_FOUND"))
                listed[:] = kept
                return httpx.Response(204)
            if UUID(of) not in self.members[UUID(match[1])]:
                return httpx.Response(404, json=error("NOT_FOUND"))
        return super()._write(request, path)

    def _created(self, request: httpx.Request, path: str) -> httpx.Response:
        answer = super()._write(request, path)
        if answer.status_code == 201:
            user_id = UUID(answer.json()["id"])
            self.users[user_id].pop("lastSignOn", None)
            self.users[user_id]["emailVerified"] = False
            self.new[user_id] = {"status": "NO_PASSWORD"}
            return httpx.Response(201, json=self.users[user_id])
        return answer


def circumstances(**more: Any) -> Circumstances:
    return Circumstances(**({"reason": "They leave"} | more))


def start(
    operator: Operator,
    plan: str | Definition = "offboard",
    *,
    when: When | None = None,
    begins: bool = True,
    **more: Any,
) -> PlanRun:
    """Start a plan for Kim. `choices`: by number of the step. `asked`: for the circumstances.

    `begins` False: nothing runs in the request, as if its process had died at once.
    """
    access = enter_org(operator, "acme")
    definition = shipped()[plan] if isinstance(plan, str) else plan
    asked = circumstances(**more.pop("asked", {}))
    whole: dict[str, Any] = {"definition": definition, "choices": {}, "when": when, "zone": "UTC"}
    kim = users.get(access.pingone(), PERSON)
    with patch.object(engine, "begin", engine.begin if begins else lambda _run: None):
        return runs.start(access, kim, runs.Start(**(whole | more)), asked)


NEWCOMER: Json = {
    "profile": {
        "username": "mara.lind",
        "email": "mara@acme.test",
        "given_name": "Mara",
        "family_name": "Lind",
    },
    "population_id": str(STAFF),
}


def onboard(
    operator: Operator,
    *,
    when: When | None = None,
    begins: bool = True,
    inputs: Json | None = None,
    choices: Json | None = None,
) -> PlanRun:
    """Start Onboard for Mara. `choices`: by number of the step, and "password"."""
    access = enter_org(operator, "acme")
    inputs = inputs or NEWCOMER
    whole = runs.Start(definition=shipped()["onboard"], choices={"1": inputs} | (choices or {}), when=when, zone="UTC")
    with patch.object(engine, "begin", engine.begin if begins else lambda _run: None):
        return runs.start(access, newcomer(inputs), whole, circumstances(reason="They join"))


def recovery_is_on(organization: Organization, **rules: Any) -> RecoveryPolicy:
    """Let the users of the population Staff recover."""
    return RecoveryPolicy.objects.create(organization=organization, population_id=STAFF, is_on=True, **rules)


def worked(run: PlanRun) -> PlanRun:
    """Let the worker run what is due, and return the run as it is then."""
    engine.run_due()
    return again(run)


def again(run: PlanRun) -> PlanRun:
    return PlanRun.objects.select_related("organization__connection", "starter").get(pk=run.pk)


def time_passes(run: PlanRun, **past: float) -> None:
    """Move everything that the run knows of time into the past, so that so much time has passed."""
    gone = timedelta(**past)
    PlanRun.objects.filter(pk=run.pk).update(
        starts_at=F("starts_at") - gone, created_at=F("created_at") - gone, announced_at=F("announced_at") - gone
    )
    PlanRunStep.objects.filter(run=run).update(due_at=F("due_at") - gone, reached_at=F("reached_at") - gone)
    PlanWork.objects.filter(run=run).update(due_at=F("due_at") - gone)


def states(run: PlanRun) -> list[str]:
    return list(run.steps.order_by("number").values_list("state", flat=True))


def kept_as(people: PlanPeople) -> Callable[[], None]:
    """Return a function that makes the environment again what it is now."""
    parts = ("users", "members", "devices", "sessions", "bypass", "password_state", "new")
    kept = {name: deepcopy(getattr(people, name)) for name in parts}

    def as_it_was() -> None:
        for name in parts:
            setattr(people, name, deepcopy(kept[name]))
        people.requests.clear()

    return as_it_was
