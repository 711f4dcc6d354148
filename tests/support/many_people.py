"""A mocked PingOne environment with many users, whose writes take effect, and jobs on them."""

import json
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import httpx
from django.utils import timezone

from console.access import OrgAccess, enter_org
from console.actions.catalogue import BY_KEY
from console.audit.entries import Circumstances
from console.jobs import control, drafts, runner
from console.jobs.listed import KeyKind, ListedRow
from console.models import AuditEntry, Job, JobRow, Operator
from tests.support.answers import ENGINEERS, STAFF, Json, ada, error, listing
from tests.support.people import ENVIRONMENT
from tests.support.small_environment import SmallEnvironment

_USER = re.compile(r"/users/([^/]+)(?:/(.*))?")


def person(number: int, **changes: Any) -> Json:
    """Return a user of the population Staff, by a number from 1."""
    own = {
        "id": str(UUID(int=(0xB << 96) + (4 << 76) + (8 << 60) + number)),
        "username": f"user{number}",
        "email": f"user{number}@acme.test",
        "mobilePhone": None,
        "name": {"given": "Given", "family": f"Family{number}"},
    }
    return ada(**(own | changes))


@dataclass
class ManyPeople(SmallEnvironment):
    """Users by number. `before` and `after` are called around each write, and may raise or answer instead."""

    before: Callable[[httpx.Request], httpx.Response | None] = field(default=lambda _request: None)
    after: Callable[[httpx.Request], httpx.Response | None] = field(default=lambda _request: None)
    signed_out: set[UUID] = field(default_factory=set)
    must_change: set[UUID] = field(default_factory=set)
    filters: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.users.clear()

    def add(self, *numbers: int, **changes: Any) -> None:
        for number in numbers:
            one = person(number, **changes)
            self.users[UUID(one["id"])] = one

    def named(self, username: str) -> Json:
        return next(one for one in self.users.values() if one["username"] == username)

    def _of_user(self, user_id: UUID, below: str) -> Json | None:
        if below == "sessions":
            return listing("sessions", *([{"id": str(UUID(int=7))}] if user_id not in self.signed_out else []))
        if below == "password":
            return {"status": "MUST_CHANGE_PASSWORD" if user_id in self.must_change else "OK"}
        if below.startswith("memberOfGroups/"):
            group_id = UUID(below.rpartition("/")[2])
            kind = "DIRECT" if group_id in self.members[user_id] else "INDIRECT"
            known = self.members[user_id] | self.indirect[user_id]
            return self.groups[group_id] | {"type": kind} if group_id in known else None
        return super()._of_user(user_id, below)

    def _found(self, path: str) -> Json | None:
        if path == "/schemas":
            return listing("schemas", {"id": str(UUID(int=5)), "name": "User"})
        if path.startswith("/schemas/"):
            return listing("attributes")
        if path == "/users":
            request = self.requests[-1]
            self.filters.append(sought := request.url.params.get("filter", ""))
            found = (one for one in self.users.values() if self._matches(one, sought))
            return listing("users", *({**one, "memberOfGroupIDs": None} for one in found))  # lists have no groups
        return super()._found(path)

    def _matches(self, user: Json, sought: str) -> bool:
        """Compare roughly: one of the quoted values is one of the user's, and group and population are theirs."""
        groups = re.findall(r'memberOfGroups\[id eq "([^"]+)"', sought)
        populations = re.findall(r'population\.id eq "([^"]+)"', sought)
        user_id = UUID(user["id"])
        if populations and user["population"]["id"] not in populations:
            return False
        if any(UUID(one) not in self.members[user_id] | self.indirect[user_id] for one in groups):
            return False
        quoted = {one.casefold() for one in re.findall(r'"((?:[^"\\]|\\.)*)"', sought)} - {*groups, *populations}
        values = [user.get(name) for name in ("username", "email", "externalId", "mobilePhone", "primaryPhone")]
        return not quoted or any(value and value.casefold() in quoted for value in values)

    def _written(self, request: httpx.Request, path: str) -> httpx.Response:
        answer = self.before(request) or self._write(request, path)
        return self.after(request) or answer

    def _write(self, request: httpx.Request, path: str) -> httpx.Response:
        body = json.loads(request.content) if request.content else {}
        if path == "/users":
            if any(one["username"].casefold() == body["username"].casefold() for one in self.users.values()):
                return httpx.Response(400, json=error("INVALID_DATA", "UNIQUENESS_VIOLATION", "username"))
            created = person(0) | {"createdAt": timezone.now().isoformat(), "id": str(uuid4())} | body
            self.users[UUID(created["id"])] = created
            return httpx.Response(201, json=created)
        match = _USER.fullmatch(path)
        user_id, below = UUID(match[1]), match[2] or ""  # type: ignore[index]
        if user_id not in self.users:
            return httpx.Response(404, json=error("NOT_FOUND"))
        user = self.users[user_id]
        if below.startswith("sessions/"):
            self.signed_out.add(user_id)
            return httpx.Response(204)
        if below == "password":
            self.must_change.add(user_id)
            return httpx.Response(200, json={"status": "MUST_CHANGE_PASSWORD"})
        if below == "memberOfGroups":
            self.members[user_id].add(UUID(body["id"]))
            return httpx.Response(201, json={"id": body["id"], "type": "DIRECT"})
        if below.startswith("memberOfGroups/"):
            self.members[user_id].discard(UUID(below.rpartition("/")[2]))
            return httpx.Response(204)
        if below == "population":
            user |= {"population": body, "_embedded": {"population": body | {"name": "Elsewhere"}}}
        elif not below and request.method == "POST":
            user["account"] = {"canAuthenticate": True, "status": "OK"}
        else:
            user |= body
        return httpx.Response(200, json=user)

    def writes_to(self, username: str) -> int:
        user_id = self.named(username)["id"]
        return sum(user_id in one for one in self.writes)


def rows_for(numbers: Iterable[int], **values: Any) -> list[ListedRow]:
    return [ListedRow(number=number, key=f"user{number}", values=values) for number in numbers]


def prepared(
    operator: Operator,
    action: str,
    rows: list[ListedRow],
    *,
    kind: KeyKind = KeyKind.USERNAME,
    slug: str = "acme",
    **inputs: Any,
) -> Job:
    """Return a job whose preview was made."""
    access = enter_org(operator, slug)
    job = drafts.create(access, BY_KEY[action], rows, key_kind=kind, source=Job.Source.FILE, inputs=inputs)
    control.start_dry_run(access, job)
    runner.run_due()
    job.refresh_from_db()
    return job


def started(operator: Operator, job: Job, *, runs: bool = True, slug: str = "acme", **options: Any) -> Job:
    """Start a previewed job, and let the worker run it."""
    circumstances = Circumstances(reason="Asked", signed_in_at=timezone.now())
    control.start(enter_org(operator, slug), job, circumstances, **options)
    return worked(job) if runs else job


def worked(job: Job) -> Job:
    runner.run_due()
    job.refresh_from_db()
    return job


def verdicts(job: Job) -> dict[int, str]:
    return dict(job.rows.order_by("number").values_list("number", "verdict"))


def states(job: Job) -> dict[int, str]:
    return dict(job.rows.order_by("number").values_list("number", "state"))


def row_of(job: Job, number: int) -> JobRow:
    return job.rows.get(number=number)


def entry_of(job: Job, number: int) -> AuditEntry:
    """Return the latest row of a row's entry in the record."""
    entry = row_of(job, number).entry
    assert entry
    return AuditEntry.objects.current().get(entry=entry)


def access_of(operator: Operator, slug: str = "acme") -> OrgAccess:
    return enter_org(operator, slug)


__all__ = ["ENGINEERS", "ENVIRONMENT", "STAFF", "suppress"]
