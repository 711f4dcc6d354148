"""Multi-factor authentication: switch, bypass and devices; and sessions."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.support.sandbox_people import Person, act, assert_refused
from tests.support.sandbox_server import Sandbox

MARA = "c0a8f3d2-41b7-4e9a-9d0e-7b6a5c4d3e21"
NewUser = Callable[..., Person]


@pytest.fixture
def owner(new_user: NewUser, sandbox: Sandbox) -> Person:
    """Return a user with copies of three of Mara's devices."""
    person = new_user()
    for kind in ("EMAIL", "SMS", "TOTP"):
        row = sandbox.sql("SELECT id FROM sandbox_device WHERE user_id = ? AND type = ?", MARA.replace("-", ""), kind)[
            0
        ]
        sandbox.copy("sandbox_device", row["id"], user_id=person.id.replace("-", ""))
    return person


def devices(person: Person, **query: str) -> list[dict[str, Any]]:
    body = person.api.get(f"{person.path}/devices", params=query).raise_for_status().json()
    assert body["size"] == len(body["_embedded"]["devices"])
    return list(body["_embedded"]["devices"])


def device(person: Person, kind: str) -> str:
    found = devices(person, filter=f'type eq "{kind}"')
    return f"{person.path}/devices/{found[0]['id']}"


def test_mfa_switch_is_stored(new_user: NewUser, ada: httpx.Client):
    person = new_user(mfaEnabled=True)
    path = f"{person.path}/mfaEnabled"
    assert ada.get(path).json()["mfaEnabled"] is True

    assert ada.put(path, json={"mfaEnabled": False}).json()["mfaEnabled"] is False

    assert person.read()["mfaEnabled"] is False
    assert_refused(ada.put(path, json={}), 400, "INVALID_DATA", "INVALID_VALUE", "mfaEnabled")


def test_bypass_is_shown_only_while_it_is_in_force(new_user: NewUser, ada: httpx.Client):
    path = f"{new_user().path}/bypassMFA"
    members = {"bypassMFAEnabled", "bypassMFAEnabledUntil"}
    assert not members & set(ada.get(path).json())

    until = "2031-01-02T03:04:05.678Z"
    assert ada.put(path, json={"bypassMFAEnabledUntil": until}).json()["bypassMFAEnabledUntil"] == until

    assert ada.put(path, json={"bypassMFAEnabledUntil": "2026-01-01T00:00:00.000Z"}).status_code == 200
    assert not members & set(ada.get(path).json())
    for wrong in ("2031-01-02T03:04:05Z", "2031-13-02T03:04:05.678Z", None):
        response = ada.put(path, json={"bypassMFAEnabledUntil": wrong})
        assert_refused(response, 400, "INVALID_DATA", "INVALID_VALUE", "bypassMFAEnabledUntil")


def test_mara_has_a_device_of_every_type(rosa: httpx.Client):
    kinds = {one["type"]: one for one in devices(Person(api=rosa, id=MARA))}

    assert set(kinds) == {"EMAIL", "SMS", "VOICE", "TOTP", "MOBILE", "FIDO2", "WHATSAPP", "OATH_TOKEN"}
    assert kinds["SMS"]["status"] == "ACTIVATION_REQUIRED"
    assert "device.activate" in kinds["SMS"]["_links"]
    assert kinds["VOICE"]["block"] == {"status": "BLOCKED"}
    assert kinds["TOTP"]["lock"]["status"] == "LOCKED"
    assert kinds["MOBILE"]["model"]["marketingName"] == "iPhone 17"


def test_devices_are_filtered_by_type_and_status(owner: Person, ada: httpx.Client):
    assert [one["type"] for one in devices(owner, filter='status eq "ACTIVATION_REQUIRED"')] == ["SMS"]
    assert [one["type"] for one in devices(owner, filter='type eq "TOTP"')] == ["TOTP"]
    response = ada.get(f"{owner.path}/devices", params={"filter": 'nickname eq "x"'})
    assert_refused(response, 400, "INVALID_DATA", "INVALID_FILTER", "filter")


def test_device_nickname_has_limits(owner: Person, ada: httpx.Client):
    path = device(owner, "EMAIL")

    assert ada.put(f"{path}/nickname", json={"nickname": "Home"}).json()["nickname"] == "Home"

    assert ada.get(path).json()["nickname"] == "Home"
    for wrong in ("", "x" * 101, 7):
        response = ada.put(f"{path}/nickname", json={"nickname": wrong})
        assert_refused(response, 400, "INVALID_DATA", "INVALID_VALUE", "nickname")


@pytest.mark.parametrize(
    ("operation", "state"),
    [
        ("device.lock", ("lock", "LOCKED")),
        ("device.unlock", ("lock", "UNLOCKED")),
        ("device.block", ("block", "BLOCKED")),
        ("device.unblock", ("block", "UNBLOCKED")),
    ],
)
def test_device_is_locked_and_blocked(owner: Person, ada: httpx.Client, operation: str, state: tuple[str, str]):
    path, (member, status) = device(owner, "TOTP"), state

    reply = act(ada, path, operation)

    assert (reply.status_code, reply.json()[member]) == (200, {"status": status})
    assert ada.get(path).json()[member] == {"status": status}


def test_device_is_activated_with_its_passcode(owner: Person, ada: httpx.Client):
    path = device(owner, "SMS")

    assert_refused(act(ada, path, "device.activate", {"otp": "0"}), 400, "INVALID_DATA", "INVALID_OTP", "otp")
    assert act(ada, path, "device.activate", {"otp": "123456"}).json()["status"] == "ACTIVE"
    assert_refused(act(ada, path, "device.activate", {"otp": "123456"}), 400, "REQUEST_FAILED")


def test_devices_can_be_reordered(owner: Person, ada: httpx.Client):
    path = f"{owner.path}/devices"
    ids = [one["id"] for one in devices(owner)]
    order = [{"id": one} for one in reversed(ids)]

    assert act(ada, path, "devices.reorder", {"order": order}).status_code == 200

    assert [one["id"] for one in devices(owner)] == ids[::-1]
    whenever = 'recordedat ge "2026-01-01T00:00:00Z" and createdAt le "2099-01-01T00:00:00Z"'
    condition = f'{whenever} and resources.id eq "{owner.id}"'
    latest = ada.post("activities", json={"filter": condition}).json()["_embedded"]["activities"][0]
    assert latest["resources"][0]["population"] == owner.read()["population"]
    assert ada.get(path, params={"expand": "order"}).json()["order"] == order
    foreign = act(ada, path, "devices.reorder", {"order": [{"id": MARA}]})
    assert_refused(foreign, 400, "INVALID_DATA", "INVALID_VALUE", "order")
    assert act(ada, path, "devices.order.remove", method="DELETE").status_code == 204
    assert [one["id"] for one in devices(owner)] == ids


def test_device_that_was_removed_is_gone(owner: Person, ada: httpx.Client):
    path = device(owner, "EMAIL")

    assert ada.delete(path).status_code == 204

    assert_refused(ada.delete(path), 404, "NOT_FOUND")
    assert len(devices(owner)) == 2


def test_device_belongs_to_its_user(owner: Person, ada: httpx.Client):
    theirs = device(Person(api=ada, id=MARA), "EMAIL").rpartition("/")[2]

    assert_refused(ada.delete(f"{owner.path}/devices/{theirs}"), 404, "NOT_FOUND")


def test_sessions_are_listed_newest_first_up_to_ten(new_user: NewUser, ada: httpx.Client, sandbox: Sandbox):
    person = new_user()
    row = sandbox.sql("SELECT id FROM sandbox_session WHERE user_id = ?", MARA.replace("-", ""))[0]["id"]
    for day in range(1, 13):
        at = f"2026-10-{day:02} 08:00:00"
        sandbox.copy("sandbox_session", row, user_id=person.id.replace("-", ""), created_at=at)

    body = ada.get(f"{person.path}/sessions").json()

    days = [one["createdAt"][:10] for one in body["_embedded"]["sessions"]]
    assert days == [f"2026-10-{day:02}" for day in range(12, 2, -1)]
    assert body["_embedded"]["sessions"][0]["browser"]["name"]
    path = f"{person.path}/sessions/{body['_embedded']['sessions'][0]['id']}"
    assert ada.get(path).status_code == 200
    assert ada.delete(path).status_code == 204
    assert_refused(ada.delete(path), 404, "NOT_FOUND")
