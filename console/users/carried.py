"""Facts for the verdict, which the user's page carries from its panels to its head as signed tokens.

The panels load one by one, in any order, and none is read twice. Each leaves its facts in the page, or the fact that
it could not be read, and the head of the page sends all of them back. A token is signed for one user, and has no names,
addresses or phone numbers.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from django.core import signing
from django.http import QueryDict

from console.users.standing import Gap, Known
from pingone_integration.devices import Device, device_of
from pingone_integration.mfa import Bypass, MfaState
from pingone_integration.passwords import PasswordState
from pingone_integration.users import User, user_of
from pingone_integration.values import json_object, moment, text

Json = dict[str, Any]
T = TypeVar("T")
_PARTS = {"password": PasswordState, "mfa": MfaState}  # by the name in the page, as in Panel.known_as
_FAILED = {"failed": True}


def carry(user_id: UUID, part: User | PasswordState | MfaState) -> str:
    """Return the facts that the verdict needs from this part, signed so that only this server can write them."""
    match part:
        case User():
            content = _of_user(part)
        case PasswordState():
            content = {"status": part.status, "unlock_at": _iso(part.unlock_at)}
        case MfaState():
            content = {
                "devices": [_of_device(device) for device in part.devices],
                "bypass": {"until": _iso(part.bypass.until)} if part.bypass else None,
            }
    return signing.dumps(content, salt=_salt(user_id, type(part)), compress=True)


def carry_failure(user_id: UUID, name: str) -> str:
    """Return, as `carry` does, that the part with this name in the page could not be read."""
    return signing.dumps(_FAILED, salt=_salt(user_id, _PARTS[name]))


def carried(user_id: UUID, sent: QueryDict, now: datetime) -> Known | None:
    """Return the facts that the page sent back, or None if the user is not among them."""
    body = _opened(user_id, User, sent.get("user", ""))
    user = user_of(body) if body else None
    if user is None:
        return None
    return Known(
        user=user,
        password=_part(_opened(user_id, PasswordState, sent.get("password", "")), _password),
        mfa=_part(_opened(user_id, MfaState, sent.get("mfa", "")), _mfa),
        now=now,
    )


def _part(body: Json, parse: Callable[[Json], T]) -> T | Gap:
    if not body:
        return Gap.UNREAD
    return Gap.FAILED if body == _FAILED else parse(body)


def _opened(user_id: UUID, kind: type, carried: str) -> Json:
    try:
        return json_object(signing.loads(carried, salt=_salt(user_id, kind)))
    except signing.BadSignature:
        return {}


def _salt(user_id: UUID, kind: type) -> str:
    return f"console.users.carried {kind.__name__} {user_id}"


def _of_user(user: User) -> Json:
    """Return the user as PingOne's JSON, so that user_of can read it."""
    content: Json = {
        "id": str(user.id),
        "email": "known" if user.email else "",
        "enabled": user.enabled,
        "account": {
            "status": {True: "LOCKED", False: "OK", None: None}[user.is_locked],
            "unlockAt": _iso(user.unlock_at),
        },
        "lifecycle": {"status": user.lifecycle},
        "mfaEnabled": user.mfa_enabled,
        "identityProvider": {"type": user.identity_provider},
        "_embedded": {"password": {"status": user.password_status}},
    }
    if user.has_signed_on is not False:
        content["lastSignOn"] = {"at": _iso(user.last_sign_on_at)}
    return content


def _of_device(device: Device) -> Json:
    return {
        "id": str(device.id),
        "type": device.type,
        "status": "ACTIVE" if device.is_active else "ACTIVATION_REQUIRED",
        "block": {"status": "BLOCKED" if device.is_blocked else ""},
        "lock": {"status": "LOCKED" if device.is_locked else ""},
    }


def _password(content: Json) -> PasswordState:
    return PasswordState(
        status=text(content.get("status")),
        last_changed_at=None,
        seconds_until_unlock=None,
        unlock_at=moment(content.get("unlock_at")),
        policy_name="",
    )


def _mfa(content: Json) -> MfaState:
    bypass = content.get("bypass")
    return MfaState(
        devices=tuple(device for one in content["devices"] if (device := device_of(one))),
        bypass=Bypass(until=moment(bypass["until"])) if bypass else None,
    )


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
