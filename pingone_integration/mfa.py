"""MFA of a PingOne user: on, off, or bypassed for a while."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from pingone_integration import devices
from pingone_integration.calls.api import PingOneApi
from pingone_integration.calls.parallel import at_once
from pingone_integration.devices import Device
from pingone_integration.errors import Blocked, InvalidValue, NotFound, PingOneError, RefusedByState
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


def end_bypass(api: PingOneApi, user_id: UUID) -> None:
    """End the bypass now. Raises RefusedByState if PingOne takes none of the ways.

    PingOne can do it, but documents no call for it. So this sets an end in the past, looks, and deletes a bypass that
    still runs. If it runs even then, the caller sees that when it reads the state.
    Source: PingOne API reference, MFA > Users > MFA Bypass (read 2026-11).
    """
    try:
        bypass(api, user_id, until=timezone.now() - timedelta(hours=1))  # past by PingOne's clock as well
        if not _still_runs(api, user_id):
            return
    except PingOneError as refusal:
        if not _is_not_the_way(refusal):
            raise
    try:
        api.delete(f"/users/{user_id}/bypassMFA")
    except PingOneError as refusal:
        raise _not_ended(refusal) if _is_not_the_way(refusal) else refusal from None


def _still_runs(api: PingOneApi, user_id: UUID) -> bool:
    try:
        return bypass_state(api, user_id).until is not None
    except PingOneError:  # the end was accepted, and a second way would not be known to be needed
        return False


def _is_not_the_way(refusal: PingOneError) -> bool:
    """Return whether PingOne knows no such call: an error without a class of its own is a method that it refuses."""
    return isinstance(refusal, InvalidValue | RefusedByState | NotFound | Blocked) or type(refusal) is PingOneError


def _not_ended(refusal: PingOneError) -> RefusedByState:
    failure = RefusedByState(str(refusal), details=refusal.details, trace=refusal.trace)
    failure.title = _("PingOne did not end the MFA bypass")
    failure.cause = _("PingOne documents no call for this, and refused the two that could do it.")
    failure.resolution = _("Set a bypass with an earlier end instead, or end it in PingOne itself.")
    return failure


def bypass_state(api: PingOneApi, user_id: UUID) -> Bypass:
    """Read the bypass. An end in the past is none.

    Source: PingOne API reference, MFA > Users > MFA Bypass (read 2026-11).
    """
    until = moment(api.get(f"/users/{user_id}/bypassMFA").get("bypassMFAEnabledUntil"))
    return Bypass(until=until if until and until > timezone.now() else None)
