"""A mocked PingOne whose users recover their account, and a person at the pages."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import respx
from django.test import Client
from django.utils import timezone

from console.models import Organization, RecoveryAttempt, RecoveryPolicy, WorkerProcess
from console.recovery import look_up
from tests.support.answers import ADA, STAFF, Json, error, listing
from tests.support.outbox import sent_emails
from tests.support.people import API_URL, AUTH_URL, ENVIRONMENT
from tests.support.small_environment import SmallEnvironment, _path

CODE = re.compile(r"^ {4}([0-9A-Z]{4}-[0-9A-Z]{4})$", re.MULTILINE)
NEW_PASSWORD = "Correct-horse-7"
PINGONE_CODE = "K7MP42QX"
DEVICE_CODE = "246810"
AUTHENTICATION = UUID("3d2e1f00-5a6b-4c7d-8e9f-0a1b2c3d4e5f")
LONG_AGO = "2026-05-18T10:00:31.114Z"
POLICY: Json = {"id": "2c4e", "name": "Standard", "length": {"min": 8, "max": 255}, "minUniqueCharacters": 5}


@dataclass
class RecoveryEnvironment(SmallEnvironment):
    """Ada is locked out. What recovery writes shows in what is read afterwards."""

    passwords: dict[UUID, Json] = field(default_factory=dict)
    set_passwords: list[Json] = field(default_factory=list)
    sessions: list[Json] = field(default_factory=lambda: [{"id": str(UUID(int=7)), "browser": {"name": "Firefox"}}])
    refuses_password: dict[str, Any] | None = None  # innerError of the refusal
    minds_device: bool = True  # that the first call of a device authentication names
    answers_check: Json = field(default_factory=lambda: {"status": "COMPLETED"})
    codes_sent: int = 0  # by PingOne
    asked_devices: list[str] = field(default_factory=list)
    checked_codes: list[str] = field(default_factory=list)

    def authenticates(self, request: httpx.Request) -> httpx.Response:
        """Answer as the host of device authentications. The code of every device is DEVICE_CODE."""
        self.requests.append(request)
        sent, operation = json.loads(request.content), request.headers["Content-Type"].rpartition(".")[2]
        if operation == "check+json":
            self.checked_codes.append(sent["otp"])
            if sent["otp"] != DEVICE_CODE:
                return httpx.Response(400, json=error("INVALID_DATA", "INVALID_OTP", "otp"))
            return httpx.Response(200, json=self.answers_check)
        named = sent["device"] if operation == "select+json" else sent["selectedDevice"]
        if operation != "select+json" and not self.minds_device:
            return httpx.Response(201, json={"id": str(AUTHENTICATION), "status": "PUSH_CONFIRMATION_REQUIRED"})
        self.asked_devices.append(named["id"])
        body = {"id": str(AUTHENTICATION), "status": "OTP_REQUIRED", "selectedDevice": named}
        return httpx.Response(201 if operation != "select+json" else 200, json=body)

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
        if operation == "password.sendRecoveryCode+json":
            self.codes_sent += 1
        if operation == "password.recover+json":
            return self._recovered(user_id, json.loads(request.content))
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

    def _recovered(self, user_id: UUID, sent: Json) -> httpx.Response:
        self.checked_codes.append(sent["recoveryCode"])
        if sent["recoveryCode"] != PINGONE_CODE:
            return httpx.Response(400, json=error("INVALID_DATA", "INVALID_VALUE", "recoveryCode"))
        if self.refuses_password is not None:
            return httpx.Response(400, json=error("INVALID_DATA", "INVALID_VALUE", "newPassword"))
        self.set_passwords.append({"value": sent["newPassword"]})
        self.passwords[user_id] = {"status": "OK", "lastChangedAt": f"{timezone.now().isoformat()[:23]}Z"}
        return httpx.Response(200, json=self.passwords[user_id])

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


@contextmanager
def mocked_environment() -> Iterator[RecoveryEnvironment]:
    """Mock PingOne: the management API of one environment, and its device authentications."""
    with respx.mock(assert_all_called=False) as router:
        environment = RecoveryEnvironment()
        router.route(url__startswith=f"{API_URL}/v1/environments/{ENVIRONMENT}").mock(side_effect=environment)
        router.route(url__startswith=f"{AUTH_URL}/{ENVIRONMENT}/deviceAuthentications").mock(
            side_effect=environment.authenticates
        )
        yield environment


def device(kind: str = "SMS", number: int = 1, **changes: Any) -> Json:
    """Return an MFA device that proves something: usable, and paired long ago."""
    return {
        "id": str(UUID(int=0xD00 + number)),
        "type": kind,
        "status": "ACTIVE",
        "createdAt": LONG_AGO,
        "lock": {"status": "UNLOCKED"},
        "block": {"status": "UNBLOCKED"},
        "phone": "+46.701234567",
    } | changes


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

    def ask_device(self, number: int = 1) -> Any:
        return self.post("device", device=str(UUID(int=0xD00 + number)))

    def answer(self, code: str = PINGONE_CODE, new_password: str = NEW_PASSWORD, *, worker: bool = True) -> Any:
        """Send PingOne's code and a new password, let the worker relay them, and ten seconds pass."""
        response = self.post("answer", code=code, new_password=new_password, again=new_password)
        if worker:
            look_up.run_due()
            RecoveryAttempt.objects.update(answered_at=timezone.now() - timedelta(seconds=11))
        return response

    def choose_password(self, new_password: str = NEW_PASSWORD) -> Any:
        self.post("choice", choice="password")
        return self.post("password", new_password=new_password, again=new_password)
