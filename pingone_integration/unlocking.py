"""Unlocking: one call for each kind of lock of a user, and the reason if PingOne refuses.

Source: PingOne API reference, Users > User Accounts, User Passwords; MFA > Users > MFA Devices (read 2026-11).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from uuid import UUID

from pingone_integration import devices, passwords, users
from pingone_integration.calls.api import PingOneApi
from pingone_integration.errors import PingOneError, RefusedByState, UnlockFailure

Reason = UnlockFailure.Reason


def unlock_account(api: PingOneApi, user_id: UUID) -> None:
    """Call users.unlock; if PingOne refuses, raise UnlockFailure, which names the kind of lock."""
    with _explained(api, user_id):
        users.unlock(api, user_id)


def unlock_password(api: PingOneApi, user_id: UUID) -> None:
    """Call passwords.unlock. Raises UnlockFailure."""
    with _explained(api, user_id):
        passwords.unlock(api, user_id)


def unlock_device(api: PingOneApi, user_id: UUID, *, device_id: UUID) -> None:
    """Call devices.unlock. Raises UnlockFailure."""
    with _explained(api, user_id):
        devices.unlock(api, user_id, device_id=device_id)


@contextmanager
def _explained(api: PingOneApi, user_id: UUID) -> Iterator[None]:
    try:
        yield
    except RefusedByState as refused:
        failure = UnlockFailure(str(refused), details=refused.details, trace=refused.trace)
        with suppress(PingOneError):  # if the state cannot be read, the general texts stay
            failure.reason = next((reason for find in _FINDERS if (reason := find(api, user_id))), None)
            if failure.reason:
                failure.cause, failure.resolution = _WORDS[failure.reason]
        raise failure from refused


def _of_account(api: PingOneApi, user_id: UUID) -> Reason | None:
    user = users.get(api, user_id)
    if user.enabled is False:
        return Reason.DISABLED
    return Reason.ACCOUNT if user.is_locked else None


def _of_password(api: PingOneApi, user_id: UUID) -> Reason | None:
    return Reason.PASSWORD if passwords.state(api, user_id).is_locked else None


def _of_devices(api: PingOneApi, user_id: UUID) -> Reason | None:
    return Reason.DEVICE if any(device.is_locked for device in devices.all_of(api, user_id)) else None


# The first finding counts, so the state that keeps the user out in any case comes first.
_FINDERS: tuple[Callable[[PingOneApi, UUID], Reason | None], ...] = (_of_account, _of_password, _of_devices)

_WORDS = {  # cause and resolution
    Reason.DISABLED: (
        "The user is disabled, which no unlocking changes.",
        "Activate the user, then look again for a lock.",
    ),
    Reason.ACCOUNT: (
        "The account is locked; the licence may be without unlocking, or the user was activated a moment ago.",
        "Try again in a minute. If it stays, ask whoever manages the PingOne licence.",
    ),
    Reason.PASSWORD: ("The account is not locked: the password is.", "Unlock the password instead."),
    Reason.DEVICE: ("The account is not locked: an MFA device is.", "Unlock the MFA device instead."),
}
