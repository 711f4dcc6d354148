"""Device authentications: a passcode of one device, which wrong ones lock."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.support.sandbox_people import VENDOR, Person, assert_refused
from tests.support.sandbox_server import Sandbox

NewUser = Callable[..., Person]


class Authentications:
    """The calls at the authorization host."""

    def __init__(self, sandbox: Sandbox, api: httpx.Client) -> None:
        self.sandbox, self.api = sandbox, api
        self.url = f"{sandbox.url}/{sandbox.details['managed_environment_id']}/deviceAuthentications"

    def begin(self, **body: Any) -> httpx.Response:
        return self.api.post(self.url, json=body)

    def post(self, authentication: str, operation: str, body: Any) -> httpx.Response:
        headers = {"Content-Type": f"{VENDOR}{operation}+json"}
        return self.api.post(f"{self.url}/{authentication}", json=body, headers=headers)

    def passcode(self, person: Person) -> str:
        mails = self.sandbox.sql(
            "SELECT body FROM sandbox_mail WHERE user_id = ? ORDER BY id", person.id.replace("-", "")
        )
        return str(mails[-1]["body"]).removeprefix("Your passcode is ").rstrip(".")


@pytest.fixture
def authentications(sandbox: Sandbox, ada: httpx.Client) -> Authentications:
    return Authentications(sandbox, ada)


@pytest.fixture
def owner(new_user: NewUser, sandbox: Sandbox) -> Person:
    person = new_user()
    sandbox.pair_device(UUID(person.id), kind="SMS", locked=False, phone="+46.701234567")
    return person


def device_of(person: Person) -> dict[str, Any]:
    return dict(person.api.get(f"{person.path}/devices").json()["_embedded"]["devices"][0])


def test_right_passcode_completes_the_authentication(owner: Person, authentications: Authentications):
    begun = authentications.begin(user={"id": owner.id}, selectedDevice={"id": device_of(owner)["id"]})
    body = begun.json()
    assert (begun.status_code, body["status"]) == (201, "OTP_REQUIRED")
    assert body["selectedDevice"] == {"id": device_of(owner)["id"]}

    done = authentications.post(body["id"], "otp.check", {"otp": authentications.passcode(owner)})
    assert (done.status_code, done.json()["status"]) == (200, "COMPLETED")
    again = authentications.post(body["id"], "otp.check", {"otp": "1"})
    assert_refused(again, 400, "REQUEST_FAILED")


def test_five_wrong_passcodes_lock_the_device(owner: Person, authentications: Authentications):
    body = authentications.begin(user={"id": owner.id}).json()
    authentications.post(body["id"], "device.select", {"device": {"id": device_of(owner)["id"]}})
    for _ in range(5):
        wrong = authentications.post(body["id"], "otp.check", {"otp": "x"})
        assert_refused(wrong, 400, "INVALID_DATA", "INVALID_OTP", "otp")

    assert device_of(owner)["lock"]["status"] == "LOCKED"
    locked = authentications.begin(user={"id": owner.id}, selectedDevice={"id": device_of(owner)["id"]})
    assert_refused(locked, 400, "REQUEST_FAILED")


def test_device_of_somebody_else_is_refused(owner: Person, new_user: NewUser, authentications: Authentications):
    other = new_user()

    refused = authentications.begin(user={"id": other.id}, selectedDevice={"id": device_of(owner)["id"]})
    assert_refused(refused, 400, "INVALID_DATA", "INVALID_VALUE", "selectedDevice.id")
    assert_refused(authentications.begin(user={"id": other.id}), 400, "REQUEST_FAILED")


def test_locked_account_cannot_authenticate(owner: Person, authentications: Authentications):
    owner.act("account.lock", {"unlockAt": "2031-05-06T07:08:09.000Z"})

    refused = authentications.begin(user={"id": owner.id})
    assert_refused(refused, 400, "REQUEST_FAILED", "ACCOUNT_NOT_USABLE", "user")


def test_call_needs_a_token(sandbox: Sandbox, authentications: Authentications, owner: Person):
    bare = httpx.post(authentications.url, json={"user": {"id": owner.id}}, timeout=20)

    assert bare.status_code == 401
