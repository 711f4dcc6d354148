"""The users and groups that a request of Call API acts on. What is not known to be harmless may act on anyone."""

import json
from typing import Any
from uuid import UUID

from console.actions.affected import CONTACTS, NOTHING, Affected
from console.user_mails.events import CONTACT_CHANGED, DEVICE_ADDED, DEVICE_REMOVED, MFA_CHANGED, PASSWORD_RESET, Event
from pingone_integration.user_search.reads import ANY, attribute
from pingone_integration.values import identifier

ANYONE = Affected(anyone=True)

_READ_BY_POST = frozenset({"activities"})
# The resources below a user that change no attribute which a group's filter could read.
_WITHOUT_ATTRIBUTES = frozenset(
    ["password", "devices", "sessions", "bypassmfa", "emailverification", "linkedaccounts", "agreementconsents"]
)
_ANY_CONTACT = frozenset({ANY, *map(attribute, CONTACTS)})
_ATTRIBUTES = {"enabled": "enabled", "mfaenabled": "mfaEnabled", "population": "population.id"}


class _Ambiguous(ValueError):
    """A body that two readers could read differently."""


def affected_by(*, method: str, path: str, media_type: str, body: str) -> Affected:
    """Return the targets of a request that writes. `path` is as of `parse_endpoint`, below the environment."""
    parts = [part.casefold() for part in path.split("/") if part]
    try:
        sent = json.loads(body, object_pairs_hook=_each_once) if body else {}
    except (ValueError, RecursionError):
        return ANYONE
    if not isinstance(sent, dict):
        return ANYONE
    match parts:
        case ["users"] if method == "POST":
            return Affected(attributes=frozenset(sent) | {"population.id", "enabled", "mfaEnabled"})
        case ["users", user, *below] if user_id := identifier(user):
            return _on_user(user_id, below, method=method, media_type=media_type.casefold(), sent=sent)
        case ["groups"] if method == "POST":
            return NOTHING  # nobody gets anything from a new group until roles or nestings are added
        case ["groups", group, *below] if group_id := identifier(group):
            return _on_group(group_id, below, method=method, sent=sent)
        case [collection] if collection in _READ_BY_POST and method == "POST":
            return NOTHING
    return ANYONE


def _on_user(user_id: UUID, below: list[str], *, method: str, media_type: str, sent: dict[str, Any]) -> Affected:
    match below:
        case []:
            is_profile = method in {"PUT", "PATCH"}
            attributes = frozenset(sent) if is_profile else frozenset()
            if method == "PUT" or (method == "POST" and "vnd.pingidentity" not in media_type):
                attributes |= {ANY}
            contacts = not _ANY_CONTACT.isdisjoint(map(attribute, attributes))
            tells = CONTACT_CHANGED if contacts else None
            return Affected(user=user_id, attributes=attributes, contacts=contacts, tells=tells)
        case ["memberofgroups", *more]:
            group_id = identifier(more[0]) if more else identifier(sent.get("id"))
            if group_id is None:
                return Affected(user=user_id, anyone=True)
            return Affected(user=user_id, groups=frozenset({group_id}))
        case ["roleassignments", *_]:
            return Affected(user=user_id, gives_roles=True)
        case ["password", *_]:
            tells = _of_password(media_type)
            return Affected(user=user_id, recovers_by_email="recover" in media_type, tells=tells)
        case [resource, *_] if resource in _ATTRIBUTES:
            tells = MFA_CHANGED if resource == "mfaenabled" else None
            return Affected(user=user_id, attributes=frozenset({_ATTRIBUTES[resource]}), tells=tells)
        case [resource, *more] if resource in _WITHOUT_ATTRIBUTES:
            return Affected(user=user_id, tells=_of_devices(method, resource, more))
    return Affected(user=user_id, attributes=frozenset({ANY}))


def _of_password(media_type: str) -> Event | None:
    """Return what the user is told of a write to their password. PingOne itself sends the recovery code."""
    kind = media_type.partition("password.")[2].partition("+")[0]
    return None if kind in {"check", "unlock", "sendrecoverycode"} else PASSWORD_RESET


def _of_devices(method: str, resource: str, below: list[str]) -> Event | None:
    match method, resource, below:
        case _, "bypassmfa", _:
            return MFA_CHANGED
        case "DELETE", "devices", [_device]:
            return DEVICE_REMOVED
        case "POST", "devices", []:
            return DEVICE_ADDED
    return None


def _on_group(group_id: UUID, below: list[str], *, method: str, sent: dict[str, Any]) -> Affected:
    match below:
        case ["memberofgroups", *more]:
            other = identifier(more[0]) if more else identifier(sent.get("id"))
            return Affected(groups=frozenset({group_id, other})) if other else ANYONE
        case ["roleassignments", *_]:
            return Affected(groups=frozenset({group_id}), gives_roles=True)
        case []:
            return Affected(groups=frozenset({group_id}))
    return ANYONE


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _value in pairs}) < len(pairs):
        raise _Ambiguous
    return dict(pairs)
