"""The state of a PingOne user's password; the password itself never comes here."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pingone_integration.api import PingOneApi
from pingone_integration.values import Json, json_object, moment, text, whole_number

_WORDS = {
    "OK": "The password can be used.",
    "NO_PASSWORD": "No password has been set.",
    "PASSWORD_EXPIRED": "The password has expired: it must be changed at the next sign-on.",
    "PASSWORD_LOCKED_OUT": "Locked after too many wrong passwords.",
    "MUST_CHANGE_PASSWORD": "The password must be changed at the next sign-on.",
    "EXTERNAL": "The password is kept by another directory, not by PingOne.",
}


@dataclass(frozen=True, kw_only=True)
class PasswordState:
    """Whether a user's password works, and since when it is the one it is."""

    status: str  # PingOne's, e.g. PASSWORD_LOCKED_OUT
    last_changed_at: datetime | None  # None: there is no password, or PingOne does not say
    seconds_until_unlock: int | None  # None: not locked, or only an administrator can unlock
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


def state_of(body: Json) -> PasswordState:
    policy = json_object(json_object(body.get("_embedded")).get("passwordPolicy"))
    return PasswordState(
        status=text(body.get("status")),
        last_changed_at=moment(body.get("lastChangedAt")),
        seconds_until_unlock=whole_number(body.get("secondsUntilUnlock")),
        policy_name=text(policy.get("name")),
    )
