"""MFA devices of a PingOne user."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from pingone_integration.calls.api import PingOneApi
from pingone_integration.calls.paging import items_of
from pingone_integration.errors import Unavailable
from pingone_integration.texts import Text
from pingone_integration.values import Json, identifier, json_object, moment, text

_KINDS: dict[str, Text] = {
    "EMAIL": _("Email"),
    "SMS": _("Text message"),
    "VOICE": _("Voice call"),
    "TOTP": _("Authenticator app"),
    "MOBILE": _("PingID mobile app"),
    "FIDO2": _("Passkey or security key"),
    "WHATSAPP": _("WhatsApp"),
    "OATH_TOKEN": _("Hardware token"),
    "SECURITY_KEY": _("Security key"),
    "PLATFORM": _("This computer's own authenticator"),
}


@dataclass(frozen=True, kw_only=True)
class Device:
    """One MFA method or device of a user."""

    id: UUID
    type: str  # PingOne's, e.g. SMS
    nickname: str
    target: str  # address, number or model; empty for e.g. an authenticator app
    is_active: bool  # False if paired, but never confirmed
    is_blocked: bool  # by an administrator
    is_locked: bool  # after failed attempts
    created_at: datetime | None

    @property
    def is_usable(self) -> bool:
        return self.is_active and not self.is_blocked and not self.is_locked

    @property
    def kind(self) -> Text:
        """Return the type in words; PingOne's own word for a new type."""
        return _KINDS.get(self.type) or self.type.replace("_", " ").capitalize() or _("Unknown")


def all_of(api: PingOneApi, user_id: UUID) -> tuple[Device, ...]:
    """Return the devices in PingOne's order: the user's default device first, if any.

    Source: PingOne API reference, MFA > Users > MFA Devices > Read All MFA Devices (read 2026-11): not paged.
    """
    body = api.get(f"/users/{user_id}/devices", {"expand": "order"})
    return items_of(body, "devices", device_of)


def get(api: PingOneApi, user_id: UUID, device_id: UUID) -> Device:
    """Read a device. Raises NotFound."""
    found = device_of(api.get(f"/users/{user_id}/devices/{device_id}"))
    if found is None:
        raise Unavailable("a device without an id")
    return found


def remove(api: PingOneApi, user_id: UUID, *, device_id: UUID) -> None:
    """Remove a device as a second factor.

    Source: PingOne API reference, MFA > Users > MFA Devices > Delete MFA User Device (read 2026-11).
    """
    api.delete(f"/users/{user_id}/devices/{device_id}")


def rename(api: PingOneApi, user_id: UUID, *, device_id: UUID, nickname: str) -> None:
    """Source: PingOne API reference, MFA > Users > MFA Devices > Update Device Nickname (read 2026-11)."""
    api.put(f"/users/{user_id}/devices/{device_id}/nickname", {"nickname": nickname})


def unlock(api: PingOneApi, user_id: UUID, *, device_id: UUID) -> None:
    """Forget the failed attempts, before the lock ends by itself.

    Source: PingOne API reference, MFA > Users > MFA Devices > Unlock Device (read 2026-11).
    """
    api.post(f"/users/{user_id}/devices/{device_id}", media_type="application/vnd.pingidentity.device.unlock+json")


def device_of(body: Json) -> Device | None:
    device_id = identifier(body.get("id"))
    model = json_object(body.get("model"))
    if device_id is None:
        return None
    return Device(
        id=device_id,
        type=text(body.get("type")),
        nickname=text(body.get("nickname")),
        target=text(body.get("email"))
        or text(body.get("phone"))
        or text(model.get("marketingName"))
        or text(model.get("name"))
        or text(body.get("displayName")),
        is_active=body.get("status") != "ACTIVATION_REQUIRED",
        is_blocked=json_object(body.get("block")).get("status") == "BLOCKED",
        is_locked=json_object(body.get("lock")).get("status") == "LOCKED",
        created_at=moment(body.get("createdAt")),
    )
