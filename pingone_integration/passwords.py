"""A PingOne user's password: its state and its replacement. PingOne never reveals it."""

import re
import secrets
import string
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from pingone_integration.calls.api import PingOneApi
from pingone_integration.errors import Detail, InvalidValue, PingOneError
from pingone_integration.password_rules import random_password, rules_of
from pingone_integration.texts import Text
from pingone_integration.values import Json, json_object, moment, moment_in, text, whole_number

_WORDS: dict[str, Text] = {
    "OK": _("The password works."),
    "NO_PASSWORD": _("They have no password."),
    "PASSWORD_EXPIRED": _("The password expired. They have to choose a new one when they sign in."),
    "PASSWORD_LOCKED_OUT": _("Locked after too many wrong passwords."),
    "MUST_CHANGE_PASSWORD": _("They have to choose a new password when they sign in."),
    "EXTERNAL": _("Their password is in another directory, not in PingOne."),
}


# For reading over the telephone or from paper: without look-alikes such as 0 and O, or 1, l and I.
_LETTERS = "".join(sorted(set(string.ascii_letters) - set("IOlo")))
_DIGITS = "23456789"
_GROUPS, _GROUP_LENGTH = 4, 4

_ENCODED = re.compile(r"\{[^{}]+\}.+", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class PasswordState:
    """The state of a user's password, and its last change."""

    status: str  # PingOne's, e.g. PASSWORD_LOCKED_OUT
    last_changed_at: datetime | None  # None if there is no password, or PingOne does not say
    seconds_until_unlock: int | None  # None if not locked, or if only an administrator can unlock
    unlock_at: datetime | None  # the same, as a time
    policy_name: str
    rules: tuple[Text, ...] = ()  # for a new password, as far as PingOne names them

    @property
    def is_usable(self) -> bool:
        return self.status == "OK"

    @property
    def is_locked(self) -> bool:
        return self.status == "PASSWORD_LOCKED_OUT"

    @property
    def in_words(self) -> Text:
        if not self.status:
            return _("PingOne does not say whether the password works.")
        return _WORDS.get(self.status) or format_lazy(_("PingOne reports the status {status}."), status=self.status)


def state(api: PingOneApi, user_id: UUID) -> PasswordState:
    """Source: PingOne API reference, Users > User Passwords > Read Password State (read 2026-11)."""
    return state_of(api.get(f"/users/{user_id}/password", {"expand": "passwordPolicy"}))


def send_recovery_code(api: PingOneApi, user_id: UUID) -> None:
    """Email the user a code to set a new password. It is valid for five minutes; nobody else sees it.

    Raises RefusedByState if the user is deactivated, has no password, is locked out or signs in elsewhere.
    Source: PingOne API reference, Users > User Passwords > Password Send Recovery Code (read 2026-11).
    """
    _post(api, user_id, "sendRecoveryCode+json")


def force_change(api: PingOneApi, user_id: UUID) -> None:
    """Require a new password at the next sign-in. Until then, the old password works. Ends a password lock.

    Source: PingOne API reference, Users > User Passwords > Force Password Change (read 2026-11): its media type has
    no +json.
    """
    _post(api, user_id, "forceChange")


def unlock(api: PingOneApi, user_id: UUID) -> None:
    """Lift the lock after too many wrong passwords. For the account lock, see users.unlock.

    Source: PingOne API reference, Users > User Passwords > Password Unlock (read 2026-11).
    """
    _post(api, user_id, "unlock+json")


def set_temporary(api: PingOneApi, user_id: UUID) -> str:
    """Set and return a random password, which the user must change at the next sign-in.

    Raises InvalidValue if the password policy requires more than `generate` offers.
    Source: PingOne API reference, Users > User Passwords > Update Password (Set) (read 2026-11).
    """
    password = generate()
    api.put(
        f"/users/{user_id}/password",
        {"value": password, "forceChange": True},
        media_type="application/vnd.pingidentity.password.set+json",
    )
    return password


def replace(api: PingOneApi, user_id: UUID) -> None:
    """Set a random password that nobody learns, within the user's password policy as far as PingOne shows it.

    PingOne also requires a new one at the next sign-in, which nobody reaches with this one.
    Raises InvalidValue if a policy that PingOne does not show requires more than `random_password` offers.
    Source: PingOne API reference, Users > User Passwords > Update Password (Set) (read 2026-11).
    """
    try:
        policy = policy_in(api.get(f"/users/{user_id}/password", {"expand": "passwordPolicy"}))
    except PingOneError:
        policy = {}
    api.put(
        f"/users/{user_id}/password",
        {"value": random_password(policy), "forceChange": True},
        media_type="application/vnd.pingidentity.password.set+json",
    )


def set_own(api: PingOneApi, user_id: UUID, *, new_password: str) -> None:
    """Set the password that the user chose, within the password policy.

    Raises InvalidValue, see password_rules.py, also for a text that PingOne would take for an encoded password: its
    policy cannot see into it.
    Source: PingOne API reference, Users > User Passwords > Update Password (Set) (read 2026-11).
    """
    if is_encoded(new_password):
        raise InvalidValue("encoded", details=(Detail(code="INVALID_VALUE", target="password", message=""),))
    api.put(
        f"/users/{user_id}/password",
        {"value": new_password, "forceChange": False, "bypassPolicy": False},
        media_type="application/vnd.pingidentity.password.set+json",
    )


def recover(api: PingOneApi, user_id: UUID, *, recovery_code: str, new_password: str) -> None:
    """Set the password that the user chose, if PingOne's code is right. Too many wrong codes lock the password.

    Raises InvalidValue for a wrong code and for a password against the policy, RefusedByState if the user is
    deactivated, has no password, or if their account is locked.
    Source: PingOne API reference, Users > User Passwords > Password Recover (read 2026-11).
    """
    if is_encoded(new_password):
        raise InvalidValue("encoded", details=(Detail(code="INVALID_VALUE", target="newPassword", message=""),))
    api.post(
        f"/users/{user_id}/password",
        {"recoveryCode": recovery_code, "newPassword": new_password},
        media_type="application/vnd.pingidentity.password.recover+json",
    )


def is_encoded(password: str) -> bool:
    """Return whether PingOne may take this for an encoded password, such as {SSHA512} and what follows."""
    return _ENCODED.fullmatch(password) is not None


def generate() -> str:
    """Return four groups of four, over 90 bits of entropy: upper case, lower case, digits and hyphens."""
    alphabet = _LETTERS + _DIGITS
    while True:
        groups = ["".join(secrets.choice(alphabet) for _ in range(_GROUP_LENGTH)) for _ in range(_GROUPS)]
        password = "-".join(groups)
        if not (password.islower() or password.isupper() or set(password).isdisjoint(_DIGITS)):
            return password


def _post(api: PingOneApi, user_id: UUID, operation: str) -> None:
    api.post(f"/users/{user_id}/password", media_type=f"application/vnd.pingidentity.password.{operation}")


def policy_in(body: Json) -> Json:
    """Return the policy that PingOne embeds in a password's state, {} if it does not."""
    return json_object(json_object(body.get("_embedded")).get("passwordPolicy"))


def state_of(body: Json) -> PasswordState:
    policy = policy_in(body)
    seconds_until_unlock = whole_number(body.get("secondsUntilUnlock"))
    return PasswordState(
        status=text(body.get("status")),
        last_changed_at=moment(body.get("lastChangedAt")),
        seconds_until_unlock=seconds_until_unlock,
        unlock_at=moment_in(seconds_until_unlock),
        policy_name=text(policy.get("name")),
        rules=rules_of(policy),
    )
