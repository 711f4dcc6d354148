"""A mocked PingOne whose users recover their account, and a person at the pages."""

import json
import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
from django.test import Client
from django.utils import timezone

from console.models import Organization, RecoveryAttempt, RecoveryPolicy, WorkerProcess
from console.recovery import look_up
from tests.support.answers import ADA, STAFF, Json, error, listing
from tests.support.outbox import sent_emails
from tests.support.small_environment import SmallEnvironment, _path

CODE = re.compile(r"^ {4}([0-9A-Z]{4}-[0-9A-Z]{4})$", re.MULTILINE)
NEW_PASSWORD = "Correct-horse-7"
LONG_AGO = "2026-05-18T10:00:31.114Z"
POLICY: Json = {"id": "2c4e", "name": "Standard", "length": {"min": 8, "max": 255}, "minUniqueCharacters": 5}


@dataclass
class RecoveryEnvironment(SmallEnvironment):
    """Ada is locked out. What recovery writes shows in what is read afterwards."""

    passwords: dict[UUID, Json] = field(default_factory=dict)
    set_passwords: list[Json] = field(default_factory=list)
    sessions: list[Json] = field(default_factory=lambda: [{"id": str(UUID(int=7)), "browser": {"name": "Firefox"}}])
    refuses_password: dict[str, Any] | None = None  # innerError of the refusal

    def password_of(self, user_id: UUID) -> Json:
        return self.passwords.setdefault(user_id, {"status": "PASSWORD_LOCKED_OUT", "lastChangedAt": LONG_AGO})

    def _of_user(self, user_id: UUID, below: str) -> Json | None:
        if below == "sessions" and user_id in self.users:
            return listing("sessions", *self.sessions)
        if below == "password" and user_id in self.users:
            return self.password_of(user_id) | {"_embedded": {"passwordPolicy": POLICY}}
        return super()._of_user(user_id, below)

    def _written(self, request: httpx.Request, path: str) -> httpx.Response:
        operation = request.headers.get("Content-Type", "").removeprefix("application/vnd.pingidentity.")
        user_id = UUID(path.split("/")[2])
        if operation == "password.set+json":
            if self.refuses_password is not None:
                return httpx.Response(
                    400, json=error("INVALID_DATA", "INVALID_VALUE", "value", **self.refuses_password)
                )
            self.set_passwords.append(json.loads(request.content))
            self.passwords[user_id] = self.password_of(user_id) | {
                "lastChangedAt": f"{timezone.now().isoformat()[:23]}Z"
            }
        if request.method == "DELETE" and "/sessions/" in path:
            self.sessions.clear()
        if operation == "password.unlock+json":
            self.password_of(user_id)["status"] = "OK"
        if operation == "account.unlock+json":
            self.users[user_id]["account"] = {"canAuthenticate": True, "status": "OK"}
        return super()._written(request, path)

    def locks_account(self, user_id: UUID = ADA) -> None:
        self.users[user_id]["account"] = {"canAuthenticate": False, "status": "LOCKED"}

    @property
    def operations(self) -> list[str]:
        """Return the writes, each by its media type or method and path."""
        kinds = [
            (one, one.headers.get("Content-Type", "").removeprefix("application/vnd.pingidentity."))
            for one in self.requests
            if one.method not in {"GET", "HEAD"}
        ]
        return [kind if "+" in kind else f"{one.method} {_path(one)}" for one, kind in kinds]


def switch_on(organization: Organization, population_id: UUID = STAFF, **rules: Any) -> RecoveryPolicy:
    """Switch recovery on for a population, with a worker that runs."""
    WorkerProcess.objects.get_or_create(id=UUID(int=1), defaults={"believed_until": timezone.now() + timedelta(days=1)})
    return RecoveryPolicy.objects.create(
        organization=organization, population_id=population_id, population_name="Staff", is_on=True, **rules
    )


class PersonAtPages:
    """A browser without a session, at /recover/<org>/."""

    def __init__(self, *, network: str = "198.51.100.7", org: str = "acme") -> None:
        self.client = Client(REMOTE_ADDR=network, HTTP_USER_AGENT="Mozilla/5.0 (X11; Linux x86_64) Firefox/145.0")
        self.home = f"/recover/{org}/"

    def see(self) -> str:
        return str(self.client.get(self.home).content.decode())

    def post(self, step: str, **typed: Any) -> Any:
        return self.client.post(f"{self.home}{step}/", typed)

    def start(self, who: str = "ada.berg", *, worker: bool = True) -> Any:
        response = self.post("start", who=who)
        if worker:
            look_up.run_due()
        return response

    @property
    def attempt(self) -> RecoveryAttempt:
        """Return the attempt that this browser began last."""
        return RecoveryAttempt.objects.order_by("-started_at")[0]

    def code(self) -> str:
        """Return the code in the latest email."""
        found = CODE.search(str(sent_emails()[-1].body))
        assert found
        return found[1]

    def prove(self, who: str = "ada.berg") -> None:
        self.start(who)
        assert self.post("code", code=self.code()).status_code == 302

    def choose_password(self, new_password: str = NEW_PASSWORD) -> Any:
        self.post("choice", choice="password")
        return self.post("password", new_password=new_password, again=new_password)
