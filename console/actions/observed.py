"""The values that an action affects, read from PingOne before and after it, for the record and for undo.

No value is a secret. Each function takes the user as just read, or None if the user does not exist (any more).
"""

from typing import Any

from console.actions.profile_forms import profile_values
from pingone_integration import devices, groups, mfa, passwords, population_sync, sessions
from pingone_integration.calls.api import PingOneApi
from pingone_integration.errors import NotFound
from pingone_integration.profiles import values_of_custom
from pingone_integration.texts import english
from pingone_integration.users import User

Json = dict[str, Any]
Inputs = Any


def of_user(*names: str) -> Any:
    """Return a function that observes these attributes of User."""

    def observe(api: PingOneApi, user: User | None, inputs: Inputs) -> Json:
        return {name: getattr(user, name) for name in names} if user else {}

    return observe


def existence(api: PingOneApi, user: User | None, inputs: Inputs) -> Json:
    if user is None:
        return {"exists": False}
    return {
        "exists": True,
        "username": user.username,
        "name": str(user.name),
        "email": user.email,
        "population_id": user.population_id,
        "population_name": user.population_name,
    }


def changed_profile(api: PingOneApi, user: User | None, inputs: Inputs) -> Json:
    """Return the profile values that are to change or have changed."""
    known: Json = profile_values(user) | values_of_custom(user) if user else {}
    return {name: known.get(name, "") for name in inputs["changes"]}


def whole_profile(api: PingOneApi, user: User | None, inputs: Inputs) -> Json:
    if user is None:
        return {}
    filled_in = {name: value for name, value in (profile_values(user) | values_of_custom(user)).items() if value}
    return filled_in | {"population_id": user.population_id}


def membership(api: PingOneApi, user: User | None, inputs: Inputs) -> Json:
    if user is None:
        return {}
    found = groups.membership(api, user.id, inputs["group_id"])
    group = found or groups.get(api, inputs["group_id"])
    population = population_sync.name_of(api.connection_id, group.population_id)
    state = {"group": group.name, "direct_member": bool(found and found.is_direct)}
    return state | ({"group_population": population} if population else {})


def password_state(api: PingOneApi, user: User | None, inputs: Inputs) -> Json:
    return {"password": passwords.state(api, user.id).status} if user else {}


def password_lock(api: PingOneApi, user: User | None, inputs: Inputs) -> Json:
    if user is None:
        return {}
    found = passwords.state(api, user.id)
    return {"password": found.status, "password_locked": found.is_locked if found.status else None}


def password_change(api: PingOneApi, user: User | None, inputs: Inputs) -> Json:
    """Return the password's state and its last change: only the time shows that a new password was set."""
    if user is None:
        return {}
    found = passwords.state(api, user.id)
    return {"password": found.status, "password_changed_at": found.last_changed_at}


def mfa_bypass(api: PingOneApi, user: User | None, inputs: Inputs) -> Json:
    return {"bypass_until": mfa.bypass_state(api, user.id).until} if user else {}


def device(api: PingOneApi, user: User | None, inputs: Inputs) -> Json:
    if user is None:
        return {}
    try:
        found = devices.get(api, user.id, inputs["device_id"])
    except NotFound:
        return {"paired": False}
    return {
        "paired": True,
        "device": " ".join(part for part in (english(found.kind), found.target) if part),
        "nickname": found.nickname,
        "device_locked": found.is_locked,
    }


def session(api: PingOneApi, user: User | None, inputs: Inputs) -> Json:
    if user is None:
        return {}
    found = [one for one in sessions.all_of(api, user.id) if one.id == inputs["session_id"]]
    if not found:
        return {"signed_on": False}
    return {"signed_on": True, "client": english(found[0].client), "from": found[0].remote_ip}


def session_count(api: PingOneApi, user: User | None, inputs: Inputs) -> Json:
    return {"sessions": len(sessions.all_of(api, user.id))} if user else {}
