"""A PingOne user's password: its state, and how to replace it. PingOne never gives it out."""

import secrets
import string
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pingone_integration.calls.api import PingOneApi
from pingone_integration.values import Json, json_object, moment, moment_in, text, whole_number

_WORDS = {
    "OK": "The password can be used.",
    "NO_PASSWORD": "No password has been set.",
    "PASSWORD_EXPIRED": "The password has expired: it must be changed at the next sign-on.",
    "PASSWORD_LOCKED_OUT": "Locked after too many wrong passwords.",
    "MUST_CHANGE_PASSWORD": "The password must be changed at the next sign-on.",
    "EXTERNAL": "The password is kept by another directory, not by PingOne.",
}


# Read out on the telephone and copied from paper: without 0 and O, 1, l and I, and what else looks alike.
_LETTERS = "".join(sorted(set(string.ascii_letters) - set("IOlo")))
_DIGITS = "23456789"
_GROUPS, _GROUP_LENGTH = 4, 4


@dataclass(frozen=True, kw_only=True)
class PasswordState:
    """Whether a user's password works, and since when it is the one it is."""

    status: str  # PingOne's, e.g. PASSWORD_LOCKED_OUT
    last_changed_at: datetime | None  # None: there is no password, or PingOne does not say
    seconds_until_unlock: int | None  # None: not locked, or only an administrator can unlock
    unlock_at: datetime | None  # the same as a time
    policy_name: str

    @property
    def is_usable(self) -> bool:
        return self.status == "OK"

    @property
    def is_locked(self) -> bool:
        return self.status == "PASSWORD_LOCKED_OUT"

    @property
    def in_words(self) -> str:
        return _WORDS.get(self.status, f"PingOne reports the state {self.status or 'unknown'}.")


def state(api: PingOneApi, user_id: UUID) -> PasswordState:
    """Source: PingOne API reference, Users > User Passwords > Read Password State (read 2026-11)."""
    return state_of(api.get(f"/users/{user_id}/password", {"expand": "passwordPolicy"}))


def send_recovery_code(api: PingOneApi, user_id: UUID) -> None:
    """PingOne mails the user a code, good for five minutes, to set a new password with; nobody else sees it.

    Raises RefusedByState for a user who is disabled, has no password, is locked out or signs on elsewhere.
    Source: PingOne API reference, Users > User Passwords > Password Send Recovery Code (read 2026-11).
    """
    _post(api, user_id, "sendRecoveryCode+json")


def force_change(api: PingOneApi, user_id: UUID) -> None:
    """The user must choose a new password at the next sign-on; until then the old one works. Ends a password lock.

    Source: PingOne API reference, Users > User Passwords > Force Password Change (read 2026-11): its media type has
    no +json.
    """
    _post(api, user_id, "forceChange")


def unlock(api: PingOneApi, user_id: UUID) -> None:
    """Forget the wrong passwords that locked the user out; the account lock is another, see users.unlock.

    Source: PingOne API reference, Users > User Passwords > Password Unlock (read 2026-11).
    """
    _post(api, user_id, "unlock+json")


def set_temporary(api: PingOneApi, user_id: UUID) -> str:
    """Set a password that nobody chose, which the user must change at the next sign-on; the password.

    Raises InvalidValue when the password policy asks for more than `generate` offers.
    Source: PingOne API reference, Users > User Passwords > Update Password (Set) (read 2026-11).
    """
    password = generate()
    api.put(
        f"/users/{user_id}/password",
        {"value": password, "forceChange": True},
        media_type="application/vnd.pingidentity.password.set+json",
    )
    return password


def generate() -> str:
    """Four groups of four, more than 90 bits of chance: upper case, lower case, digits and hyphens."""
    alphabet = _LETTERS + _DIGITS
    while True:
        groups = ["".join(secrets.choice(alphabet) for _ in range(_GROUP_LENGTH)) for _ in range(_GROUPS)]
        password = "-".join(groups)
        if not (password.islower() or password.isupper() or set(password).isdisjoint(_DIGITS)):
            return password


def _post(api: PingOneApi, user_id: UUID, operation: str) -> None:
    api.post(f"/users/{user_id}/password", media_type=f"application/vnd.pingidentity.password.{operation}")


def state_of(body: Json) -> PasswordState:
    policy = json_object(json_object(body.get("_embedded")).get("passwordPolicy"))
    seconds_until_unlock = whole_number(body.get("secondsUntilUnlock"))
    return PasswordState(
        status=text(body.get("status")),
        last_changed_at=moment(body.get("lastChangedAt")),
        seconds_until_unlock=seconds_until_unlock,
        unlock_at=moment_in(seconds_until_unlock),
        policy_name=text(policy.get("name")),
    )
