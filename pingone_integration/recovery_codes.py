"""Recovery codes: whether PingOne sends one to a user, and the reason if it does not.

Source: PingOne API reference, Users > User Passwords > Password Send Recovery Code, Password Recover (read 2026-11).
"""

from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from pingone_integration import passwords, users
from pingone_integration.calls.api import PingOneApi
from pingone_integration.errors import PingOneError, RefusedByState
from pingone_integration.texts import Text
from pingone_integration.users import User


@dataclass(frozen=True)
class Obstacle:
    """The reason why a user gets no recovery code, or could not use it."""

    cause: Text
    resolution: Text


_DEACTIVATED = Obstacle(
    _("No recovery code can be sent while the user is deactivated."), _("Activate the user first, if they may sign in.")
)
_ELSEWHERE = Obstacle(
    _("No recovery code can be sent: their password is not in PingOne."), _("Reset the password where they sign in.")
)
_LOCKED = Obstacle(_("A recovery code does not work while the account is locked."), _("Unlock the account first."))
_NO_EMAIL = Obstacle(
    _("No recovery code can be sent: they have no email address."),
    _("Add an email address, or set a temporary password."),
)
_OF_PASSWORD = {  # by PingOne's status
    "EXTERNAL": _ELSEWHERE,
    "NO_PASSWORD": Obstacle(
        _("No recovery code can be sent: they have no password."), _("Give them a temporary password.")
    ),
    "PASSWORD_LOCKED_OUT": Obstacle(
        _("No recovery code can be sent while the password is locked."), _("Unlock the password first.")
    ),
}


def obstacle(user: User, password_status: str) -> Obstacle | None:
    """Return the first obstacle, or None if none is known. An empty status is unknown.

    PingOne sends the code in spite of an account lock, but does not accept it while the lock holds.
    """
    if user.enabled is False:
        return _DEACTIVATED
    if user.has_external_identity_provider:
        return _ELSEWHERE
    if found := _OF_PASSWORD.get(password_status):
        return found
    if user.is_locked:
        return _LOCKED
    return None if user.email else _NO_EMAIL


def send(api: PingOneApi, user_id: UUID) -> None:
    """Call passwords.send_recovery_code. If PingOne refuses, RefusedByState names the obstacle."""
    try:
        passwords.send_recovery_code(api, user_id)
    except RefusedByState as refused:
        with suppress(PingOneError):  # if the state cannot be read, the general texts stay
            user = users.get(api, user_id)
            status = "" if user.has_external_identity_provider else passwords.state(api, user_id).status
            if found := obstacle(user, status):
                refused.cause, refused.resolution = found.cause, found.resolution
        raise
