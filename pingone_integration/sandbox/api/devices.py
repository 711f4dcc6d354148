"""A user's MFA devices.

Source: PingOne MFA API reference, Users > MFA Devices (read 2026-11).
"""

from typing import Any
from uuid import UUID

from django.http import HttpResponse

from pingone_integration.sandbox import errors, filters
from pingone_integration.sandbox.activities import record, record_resource
from pingone_integration.sandbox.api import lists
from pingone_integration.sandbox.api.endpoint import Call, iso, no_content, permits
from pingone_integration.sandbox.models import Device, User

FILTERS = {"status": frozenset({"eq"}), "type": frozenset({"eq"})}
LOOKUPS = {"status": "status", "type": "type"}


def device_body(call: Call, device: Device) -> dict[str, Any]:
    own = call.url(f"users/{device.user_id}/devices/{device.id}")
    links = {
        "self": {"href": own},
        "environment": {"href": call.url()},
        "user": {"href": call.url(f"users/{device.user_id}")},
    }
    if device.status == "ACTIVATION_REQUIRED":
        links["device.activate"] = {"href": own}
    locked = device.locked and (device.unlock_at is None or device.unlock_at > call.now)
    body: dict[str, Any] = {
        "_links": links,
        "id": str(device.id),
        "environment": {"id": str(call.environment.id)},
        "user": {"id": str(device.user_id)},
        "type": device.type,
        "status": device.status,
        "lock": {"status": "LOCKED" if locked else "UNLOCKED"},
        "block": {"status": "BLOCKED" if device.blocked else "UNBLOCKED"},
        **device.details,
        "createdAt": iso(device.created_at),
        "updatedAt": iso(device.updated_at),
    }
    if locked and device.unlock_at:
        body["lock"]["expiresAt"] = iso(device.unlock_at)
    if device.nickname:
        body["nickname"] = device.nickname
    return body


@permits("devices:read:device")
def list_devices(call: Call, user_id: UUID) -> dict[str, Any]:
    return _list(call, call.user(user_id))


def _list(call: Call, user: User) -> dict[str, Any]:
    devices = user.devices.all()
    if call.query.get("filter"):
        devices = devices.filter(filters.as_q(filters.parse(call.query["filter"], FILTERS), LOOKUPS))
    body = lists.envelope(call, "devices", [device_body(call, device) for device in devices])
    body["_links"]["devices.reorder"] = {"href": call.url(f"users/{user.id}/devices")}
    if call.wants("expand", "order") and user.devices_ordered:
        body["order"] = [{"id": str(device.id)} for device in user.devices.all()]
    return body


@permits("devices:read:device")
def read_device(call: Call, user_id: UUID, device_id: UUID) -> dict[str, Any]:
    return device_body(call, _device(call, user_id, device_id))


@permits("devices:delete:device")
def delete_device(call: Call, user_id: UUID, device_id: UUID) -> HttpResponse:
    device = _device(call, user_id, device_id)
    _record(call, "DEVICE.DELETED", device)
    device.delete()
    return no_content()


@permits("devices:read:device")
def read_nickname(call: Call, user_id: UUID, device_id: UUID) -> dict[str, Any]:
    device = _device(call, user_id, device_id)
    return {"_links": _nickname_links(call, device), "nickname": device.nickname}


@permits("devices:update:device")
def set_nickname(call: Call, user_id: UUID, device_id: UUID) -> dict[str, Any]:
    device = _device(call, user_id, device_id)
    nickname = call.body().get("nickname")
    if not isinstance(nickname, str) or not 1 <= len(nickname) <= 100:
        raise errors.invalid_value("nickname", "Must have 1 to 100 characters.", maximumValue=100)
    device.nickname = nickname
    _save(call, device, "DEVICE.UPDATED")
    return {"_links": _nickname_links(call, device), "nickname": device.nickname}


@permits("devices:update:device")
def unlock(call: Call, user_id: UUID, device_id: UUID) -> dict[str, Any]:
    device = _device(call, user_id, device_id)
    device.locked, device.unlock_at, device.failures = False, None, 0
    return _save(call, device, "DEVICE.UNLOCKED")


@permits("devices:update:device")
def lock(call: Call, user_id: UUID, device_id: UUID) -> dict[str, Any]:
    device = _device(call, user_id, device_id)
    device.locked, device.unlock_at = True, None
    return _save(call, device, "DEVICE.LOCKED")


@permits("devices:update:device")
def block(call: Call, user_id: UUID, device_id: UUID) -> dict[str, Any]:
    device = _device(call, user_id, device_id)
    device.blocked = True
    return _save(call, device, "DEVICE.BLOCKED")


@permits("devices:update:device")
def unblock(call: Call, user_id: UUID, device_id: UUID) -> dict[str, Any]:
    device = _device(call, user_id, device_id)
    device.blocked = False
    return _save(call, device, "DEVICE.UNBLOCKED")


@permits("devices:update:device")
def activate(call: Call, user_id: UUID, device_id: UUID) -> dict[str, Any]:
    device = _device(call, user_id, device_id)
    otp = call.body().get("otp")
    if not otp:
        raise errors.required_value("otp")
    if device.status != "ACTIVATION_REQUIRED":
        raise errors.refused("The device is active.")
    if str(otp) != device.otp:
        raise errors.invalid_data(errors.detail("INVALID_OTP", "otp", "The one-time passcode is wrong."))
    device.status, device.otp = "ACTIVE", ""
    return _save(call, device, "DEVICE.ACTIVATED")


@permits("devices:update:device")
def reorder(call: Call, user_id: UUID) -> dict[str, Any]:
    """Put the named devices first, in the order sent. The first device is the default."""
    user = call.user(user_id)
    devices = {str(device.id): device for device in user.devices.all()}
    sent = call.body().get("order")
    ids = [str(one.get("id")) for one in sent if isinstance(one, dict)] if isinstance(sent, list) else []
    if not ids or any(one not in devices for one in ids) or len(set(ids)) != len(ids):
        raise errors.invalid_value("order", "Must name devices of the user, each once.")
    for position, device_id in enumerate(dict.fromkeys([*ids, *devices])):
        user.devices.filter(id=device_id).update(position=position)
    _set_ordered(call, user, ordered=True)
    return _list(call, user)


@permits("devices:update:device")
def drop_order(call: Call, user_id: UUID) -> HttpResponse:
    user = call.user(user_id)
    user.devices.update(position=0)
    _set_ordered(call, user, ordered=False)
    return no_content()


@permits("devices:update:device")
def ask_for_logs(call: Call, user_id: UUID, device_id: UUID) -> dict[str, Any]:
    device = _device(call, user_id, device_id)
    if device.type != "MOBILE":
        raise errors.refused("Only a mobile application has logs.")
    return {"_links": {"self": {"href": call.url(f"users/{user_id}/devices/{device_id}/logs")}}, "status": "PENDING"}


def _device(call: Call, user_id: UUID, device_id: UUID) -> Device:
    device = call.user(user_id).devices.filter(id=device_id).first()
    if device is None:
        raise errors.not_found()
    return device


def _save(call: Call, device: Device, action: str) -> dict[str, Any]:
    device.updated_at = call.now
    device.save()
    _record(call, action, device)
    return device_body(call, device)


def _set_ordered(call: Call, user: User, *, ordered: bool) -> None:
    user.devices_ordered = ordered
    user.save()
    record(call, "USER.UPDATED", "Device order changed", user)


def _record(call: Call, action: str, device: Device) -> None:
    description = action.replace(".", " ").capitalize()
    record_resource(
        call,
        action,
        description,
        kind="USER",
        resource_id=device.user_id,
        name=device.user.username,
        population_id=device.user.population_id,
    )


def _nickname_links(call: Call, device: Device) -> dict[str, Any]:
    own = call.url(f"users/{device.user_id}/devices/{device.id}")
    return {"self": {"href": f"{own}/nickname"}, "device": {"href": own}}
