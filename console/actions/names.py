"""The names of groups, devices and other objects in the sentences of an action: from its record, without a call."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """The inputs of an action, the observed values before and after it, and the result of its call."""

    inputs: Mapping[str, Any]
    before: Json = field(default_factory=dict)  # empty if not read; so is `after`
    after: Json = field(default_factory=dict)
    result: Any = None


def group(recorded: Recorded) -> Json:
    """Return the name with that of its population: names repeat across populations."""
    name = recorded.after.get("group") or recorded.before.get("group")
    population = recorded.after.get("group_population") or recorded.before.get("group_population")
    return {"group": in_population(name or _id(recorded, "group_id"), population)}


def in_population(group_name: str, population_name: str | None) -> str:
    return f"{group_name} ({population_name})" if population_name else group_name


def population(recorded: Recorded) -> Json:
    """Return the new population. PingOne may still show the old one after the action."""
    new_id = _id(recorded, "population_id")
    is_there = str(recorded.after.get("population_id")) == new_id
    return {"population": (is_there and recorded.after.get("population_name")) or new_id}


def device(recorded: Recorded) -> Json:
    """Return the name before the action. A renamed device also has a new nickname, in the inputs."""
    seen = recorded.before if recorded.before.get("paired") else recorded.after
    name = seen.get("nickname") or seen.get("device")
    return {"device": name or _id(recorded, "device_id"), "nickname": recorded.inputs.get("nickname", "")}


def session(recorded: Recorded) -> Json:
    name = ", ".join(recorded.before[part] for part in ("client", "from") if recorded.before.get(part))
    return {"session": name or _id(recorded, "session_id")}


def ended_sessions(recorded: Recorded) -> Json:
    return {"count": recorded.result or 0}


def _id(recorded: Recorded, name: str) -> str:
    return str(recorded.inputs.get(name, ""))
