"""MFA of a PingOne user: on, off, or bypassed for a while."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pingone_integration import devices
from pingone_integration.calls.api import PingOneApi
from pingone_integration.calls.parallel import at_once
from pingone_integration.devices import Device
from pingone_integration.errors import PingOneError
from pingone_integration.values import moment, pingone_time


@dataclass(frozen=True, kw_only=True)
class Bypass:
    """A time during which a user needs no second factor."""

    until: datetime | None  # None if there is no bypass


@dataclass(frozen=True, kw_only=True)
class MfaState:
    """A user's MFA devices, and the bypass of the second factor."""

    devices: tuple[Device, ...]
    bypass: Bypass | None  # None if it could not be read

    @property
    def items(self) -> tuple[Device, ...]:
        """Return the lines of a list."""
        return self.devices


def state(api: PingOneApi, user_id: UUID) -> MfaState:
    """Read the devices and the bypass, in two parallel calls.

    Raises the PingOneError of the devices; an unreadable bypass does not hide them.
    """
    found, bypass = at_once(api, lambda api: devices.all_of(api, user_id), lambda api: bypass_state(api, user_id))
    if isinstance(found, PingOneError):
        raise found
    return MfaState(devices=found, bypass=None if isinstance(bypass, PingOneError) else bypass)


def enable(api: PingOneApi, user_id: UUID) -> None:
    """Source: PingOne API reference, MFA > Users > Enable Users MFA (read 2026-11)."""
    api.put(f"/users/{user_id}/mfaEnabled", {"mfaEnabled": True})


def disable(api: PingOneApi, user_id: UUID) -> None:
    """Turn MFA off; the devices stay paired.

    Source: PingOne API reference, MFA > Users > Enable Users MFA (read 2026-11).
    """
    api.put(f"/users/{user_id}/mfaEnabled", {"mfaEnabled": False})


def bypass(api: PingOneApi, user_id: UUID, *, until: datetime) -> None:
    """Let the user skip the second factor until a time.

    Source: PingOne API reference, MFA > Users > MFA Bypass (read 2026-11): UTC with milliseconds is the only format.
    """
    api.put(f"/users/{user_id}/bypassMFA", {"bypassMFAEnabledUntil": pingone_time(until)})


def bypass_state(api: PingOneApi, user_id: UUID) -> Bypass:
    """Source: PingOne API reference, MFA > Users > MFA Bypass (read 2026-11)."""
    return Bypass(until=moment(api.get(f"/users/{user_id}/bypassMFA").get("bypassMFAEnabledUntil")))
