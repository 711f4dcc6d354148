"""Device authentications at the authorization host: a passcode of one of the user's MFA devices.

Source: PingOne MFA API reference, MFA Device Authentications (read 2026-11). The sandbox plays the phones, too: its
outbox shows each passcode, also what an authenticator app would show. Which role permits it is unconfirmed.
"""

import secrets
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.http import HttpResponse, JsonResponse

from pingone_integration.sandbox import errors
from pingone_integration.sandbox.activities import record
from pingone_integration.sandbox.api.endpoint import Call, created, iso, permits
from pingone_integration.sandbox.filters import uuid_of
from pingone_integration.sandbox.models import Device, DeviceAuthentication, Mail, User

LASTS = timedelta(minutes=5)
MOST_FAILURES = 5  # a setting of the MFA policy at PingOne
LOCKED_FOR = timedelta(minutes=2)
_NEXT = {"MOBILE": "PUSH_CONFIRMATION_REQUIRED", "FIDO2": "ASSERTION_REQUIRED"}  # any other type has a passcode


@permits("devices:read:device")
def begin(call: Call) -> HttpResponse:
    """Begin with the device that is named, or else with the user's first one."""
    body = call.body()
    user = call.user(_id_in(body, "user"))
    if not user.can_authenticate():
        reason = errors.detail("ACCOUNT_NOT_USABLE", "user", "The account is locked or disabled.")
        raise errors.refused("The user cannot authenticate.", reason)
    authentication = DeviceAuthentication(
        environment=call.environment, user=user, status="DEVICE_SELECTION_REQUIRED", expires_at=call.now + LASTS
    )
    usable = [device for device in user.devices.all() if _is_usable(device, call)]
    if "selectedDevice" in body:
        _use(call, authentication, _device(call, user, _id_in(body, "selectedDevice")))
    elif usable:
        _use(call, authentication, usable[0])
    else:
        raise errors.refused("The user has no usable device.")
    return created(_body(call, authentication))


@permits("devices:read:device")
def select(call: Call, authentication_id: UUID) -> dict[str, Any]:
    authentication = _of(call, authentication_id)
    _use(call, authentication, _device(call, authentication.user, _id_in(call.body(), "device")))
    return _body(call, authentication)


@permits("devices:read:device")
def check(call: Call, authentication_id: UUID) -> HttpResponse | dict[str, Any]:
    authentication = _of(call, authentication_id)
    sent, device = call.body().get("otp"), authentication.device
    if authentication.status != "OTP_REQUIRED" or device is None or not _is_usable(device, call):
        raise errors.refused("The authentication waits for no passcode.")
    if not sent:
        raise errors.required_value("otp")
    if str(sent) != authentication.otp or authentication.expires_at <= call.now:
        return _failed(call, device)
    device.failures = 0
    device.save()
    authentication.status, authentication.otp, authentication.updated_at = "COMPLETED", "", call.now
    authentication.save()
    record(call, "MFA.AUTHENTICATION_COMPLETED", "MFA device authentication completed", authentication.user)
    return _body(call, authentication)


def _failed(call: Call, device: Device) -> HttpResponse:
    """Return the error. An exception would roll back the counted failure."""
    device.failures += 1
    if device.failures >= MOST_FAILURES:
        device.locked, device.unlock_at, device.failures = True, call.now + LOCKED_FOR, 0
    device.save()
    error = errors.invalid_data(errors.detail("INVALID_OTP", "otp", "The one-time passcode is wrong."))
    return JsonResponse(error.envelope(), status=error.status)


def _use(call: Call, authentication: DeviceAuthentication, device: Device) -> None:
    authentication.device, authentication.updated_at = device, call.now
    authentication.status = _NEXT.get(device.type, "OTP_REQUIRED")
    if authentication.status == "OTP_REQUIRED":
        authentication.otp = f"{secrets.randbelow(10**6):06}"
        details = device.details
        to = details.get("phone") or details.get("email") or f"{device.type} of {authentication.user.username}"
        Mail.objects.create(
            environment=call.environment,
            user_id=authentication.user_id,
            to=to,
            subject=f"Passcode ({device.type})",
            body=f"Your passcode is {authentication.otp}.",
        )
    authentication.save()
    record(call, "MFA.AUTHENTICATION_STARTED", f"MFA device authentication with {device.type}", authentication.user)


def _is_usable(device: Device, call: Call) -> bool:
    is_locked = device.locked and (device.unlock_at is None or device.unlock_at > call.now)
    return device.status == "ACTIVE" and not device.blocked and not is_locked


def _device(call: Call, user: User, device_id: UUID) -> Device:
    device = user.devices.filter(id=device_id).first()
    if device is None:
        raise errors.invalid_value("selectedDevice.id", "The user has no such device.")
    if not _is_usable(device, call):
        raise errors.refused("The device is locked, blocked or not active.")
    return device


def _of(call: Call, authentication_id: UUID) -> DeviceAuthentication:
    rows = DeviceAuthentication.objects.select_related("user", "device").filter(environment=call.environment)
    found = rows.filter(id=authentication_id).first()
    if found is None or not call.reach.covers(found.user.population_id):
        raise errors.not_found()
    return found


def _id_in(body: dict[str, Any], name: str) -> UUID:
    """Return the ID in a member such as {"user": {"id": ...}}."""
    sent = body.get(name)
    if not isinstance(sent, dict) or "id" not in sent:
        raise errors.required_value(f"{name}.id")
    return uuid_of(str(sent["id"]))


def _body(call: Call, authentication: DeviceAuthentication) -> dict[str, Any]:
    own = f"{call.base_url}/{call.environment.id}/deviceAuthentications/{authentication.id}"
    device = authentication.device
    return {
        "_links": {name: {"href": own} for name in ("self", "otp.check", "device.select")},
        "id": str(authentication.id),
        "environment": {"id": str(call.environment.id)},
        "status": authentication.status,
        "user": {"id": str(authentication.user_id)},
        **({"selectedDevice": {"id": str(device.id)}} if device else {}),
        "createdAt": iso(authentication.created_at),
        "updatedAt": iso(authentication.updated_at),
    }
