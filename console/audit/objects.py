"""The group, device, session or population that an action on a user is about: from the record, without a call."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from django.utils.translation import gettext_lazy as _

from console.actions import names
from console.actions.names import Recorded
from pingone_integration.texts import Text
from pingone_integration.values import identifier

Json = dict[str, Any]


def _device(recorded: Recorded) -> Json:
    """Return the nickname with the kind and address: several devices may have the same nickname."""
    nickname = names.device(recorded)["device"]
    seen = recorded.before if recorded.before.get("paired") else recorded.after
    device = seen.get("device")
    return {"device": f"{nickname} ({device})" if device and device != nickname else nickname}


# The input with the object's ID: its kind in exports, and where its name is. The first that is there counts.
_KINDS: dict[str, tuple[str, Callable[[Recorded], Json]]] = {
    "group_id": ("group", names.group),
    "device_id": ("device", _device),
    "session_id": ("session", names.session),
    "population_id": ("population", names.population),
}
_LABELS: dict[str, Text] = {
    "group": _("Group"),
    "device": _("Device"),
    "session": _("Session"),
    "population": _("Population"),
}


class Row(Protocol):
    """The recorded values of an entry, also of a migration's AuditEntry."""

    inputs: Any
    before: Any
    after: Any


@dataclass(frozen=True, kw_only=True)
class Object:
    """The object of an action on a user."""

    kind: str
    id: str
    name: str = ""  # as it was then; empty if it was not read

    @property
    def label(self) -> Text:
        return _LABELS[self.kind]

    @property
    def is_group(self) -> bool:
        return self.kind == "group"

    @property
    def has_page(self) -> bool:
        return self.is_group and identifier(self.id) is not None


# The names of the object's values in exports.
EXPORTED = ("object_kind", "object_id", "object_name")


def exported_object_of(row: Row) -> dict[str, str]:
    found = object_of(row)
    return dict(zip(EXPORTED, (found.kind, found.id, found.name) if found else ("", "", ""), strict=True))


def object_of(row: Row) -> Object | None:
    """Return the object, or None if the entry is only about its subject."""
    if not isinstance(row.inputs, Mapping):
        return None
    for given, (kind, name_of) in _KINDS.items():
        if found := row.inputs.get(given):
            recorded = Recorded(inputs=row.inputs, before=row.before or {}, after=row.after or {})
            name = str(name_of(recorded)[kind])
            return Object(kind=kind, id=str(found), name="" if name == str(found) else name)
    return None
