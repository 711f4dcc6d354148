"""Unlocking: one call for each kind of lock of a user, and the reason if PingOne refuses.

Source: PingOne API reference, Users > User Accounts, User Passwords; MFA > Users > MFA Devices (read 2026-11).
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from pingone_integration import devices, passwords, users
from pingone_integration.calls.api import PingOneApi
from pingone_integration.errors import PingOneError, RefusedByState, UnlockFailure
from pingone_integration.texts import Text

Reason = UnlockFailure.Reason


def unlock_account(api: PingOneApi, user_id: UUID) -> None:
    """Call users.unlock; if PingOne refuses, raise UnlockFailure, which names the kind of lock."""
    with _explained(api, user_id, Reason.ACCOUNT):
        users.unlock(api, user_id)


def unlock_password(api: PingOneApi, user_id: UUID) -> None:
    """Call passwords.unlock. Raises UnlockFailure."""
    with _explained(api, user_id, Reason.PASSWORD):
        passwords.unlock(api, user_id)


def unlock_device(api: PingOneApi, user_id: UUID, *, device_id: UUID) -> None:
    """Call devices.unlock. Raises UnlockFailure."""
    with _explained(api, user_id, Reason.DEVICE):
        devices.unlock(api, user_id, device_id=device_id)


@contextmanager
def _explained(api: PingOneApi, user_id: UUID, lock: Reason) -> Iterator[None]:
    """Explain a refusal to lift `lock`."""
    try:
        yield
    except RefusedByState as refused:
        failure = UnlockFailure(str(refused), details=refused.details, trace=refused.trace)
        with suppress(PingOneError):  # if the state cannot be read, the general texts stay
            reason = _reason(api, user_id)
            if reason:
                failure.reason = Reason.REFUSED if reason is lock else reason
                failure.cause, failure.resolution = _REFUSED[lock] if reason is lock else _WORDS[reason]
        raise failure from refused


def _reason(api: PingOneApi, user_id: UUID) -> Reason | None:
    """Return the first reason in the order of the verdict on a user, or None if PingOne does not say enough.

    The state that prevents sign-in in any case comes first.
    """
    user = users.get(api, user_id)
    if user.enabled is False:
        return Reason.DISABLED
    if user.is_locked:
        return Reason.ACCOUNT
    password = "EXTERNAL" if user.has_external_identity_provider else passwords.state(api, user_id).status
    if password in _OF_PASSWORD:
        return _OF_PASSWORD[password]
    if any(device.is_locked for device in devices.all_of(api, user_id)):
        return Reason.DEVICE
    return _WITHOUT_A_LOCK.get(password) if user.is_locked is False else None


_OF_PASSWORD = {"PASSWORD_LOCKED_OUT": Reason.PASSWORD, "NO_PASSWORD": Reason.NO_PASSWORD}
_WITHOUT_A_LOCK = {
    "EXTERNAL": Reason.ELSEWHERE,
    "OK": Reason.NOTHING_LOCKED,
    "PASSWORD_EXPIRED": Reason.NOTHING_LOCKED,
    "MUST_CHANGE_PASSWORD": Reason.NOTHING_LOCKED,
}
_WORDS: dict[Reason, tuple[Text, Text]] = {  # cause and resolution
    Reason.DISABLED: (
        _("The user is deactivated. Unlocking does not change that."),
        _("Activate the user, then check again for a lock."),
    ),
    Reason.ACCOUNT: (_("The account is locked."), _("Unlock the account first.")),
    Reason.PASSWORD: (_("The account is not locked, but the password is."), _("Unlock the password instead.")),
    Reason.NO_PASSWORD: (_("They have no password."), _("Give them a temporary password.")),
    Reason.DEVICE: (_("The account is not locked, but an MFA device is."), _("Unlock the MFA device instead.")),
    Reason.ELSEWHERE: (
        _("Nothing is locked in PingOne. Their password is managed outside PingOne."),
        _("Check the password there."),
    ),
    Reason.NOTHING_LOCKED: (
        _("Nothing is locked: not the account, the password or an MFA device."),
        _("If they still cannot sign in, check the user's status."),
    ),
}
_LATER = _("Try again in a minute. If it keeps happening, ask whoever manages the PingOne license.")
_REFUSED: dict[Reason, tuple[Text, Text]] = {  # the lock holds, and PingOne does not lift it
    Reason.ACCOUNT: (
        _("The account is locked. The license may not include unlocking, or the user was activated a moment ago."),
        _LATER,
    ),
    Reason.PASSWORD: (_("The password is locked. The license may not include unlocking."), _LATER),
    Reason.DEVICE: (_("An MFA device is locked. The license may not include unlocking."), _LATER),
}
