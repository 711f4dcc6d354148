"""MFA of a PingOne user: on, off, or bypassed for a while."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pingone_integration.calls.api import PingOneApi
from pingone_integration.values import moment, pingone_time


@dataclass(frozen=True, kw_only=True)
class Bypass:
    """A time during which a user is not asked for the second factor."""

    until: datetime | None  # None: there is none


def enable(api: PingOneApi, user_id: UUID) -> None:
    """Source: PingOne API reference, MFA > Users > Enable Users MFA (read 2026-11)."""
    api.put(f"/users/{user_id}/mfaEnabled", {"mfaEnabled": True})


def disable(api: PingOneApi, user_id: UUID) -> None:
    """The devices stay paired. Source: PingOne API reference, MFA > Users > Enable Users MFA (read 2026-11)."""
    api.put(f"/users/{user_id}/mfaEnabled", {"mfaEnabled": False})


def bypass(api: PingOneApi, user_id: UUID, *, until: datetime) -> None:
    """Not to be asked for the second factor until then.

    Source: PingOne API reference, MFA > Users > MFA Bypass (read 2026-11): UTC with milliseconds is the one format.
    """
    api.put(f"/users/{user_id}/bypassMFA", {"bypassMFAEnabledUntil": pingone_time(until)})


def bypass_state(api: PingOneApi, user_id: UUID) -> Bypass:
    """Source: PingOne API reference, MFA > Users > MFA Bypass (read 2026-11)."""
    return Bypass(until=moment(api.get(f"/users/{user_id}/bypassMFA").get("bypassMFAEnabledUntil")))
