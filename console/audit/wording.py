"""An entry of the audit log in words: the action, and the values that changed."""

import json
from dataclasses import dataclass
from typing import Any

from django.utils.dateparse import parse_datetime

from console.actions.catalogue import BY_KEY
from console.audit.entries import EVENTS, Outcome
from console.models import AuditEntry
from pingone_integration.texts import Text

_LABELS = {
    "enabled": "Sign-on",
    "is_locked": "Account",
    "unlock_at": "Unlocks at",
    "mfa_enabled": "MFA",
    "bypass_until": "MFA bypass until",
    "email": "E-mail",
    "email_verified": "E-mail address",
    "direct_member": "Direct member",
    "device_locked": "Device",
    "signed_on": "Session",
    "exists": "User",
    "population_id": "Population ID",
    "population_name": "Population",
    "seen_at": "Edited as of",
    "device_id": "Device ID",
    "group_id": "Group ID",
    "session_id": "Session ID",
}
_WORDS = {  # no, yes
    "enabled": ("disabled", "enabled"),
    "is_locked": ("not locked", "locked"),
    "mfa_enabled": ("off", "on"),
    "email_verified": ("not verified", "verified"),
    "device_locked": ("not locked", "locked"),
    "signed_on": ("ended", "signed on"),
    "exists": ("gone", "there"),
}


@dataclass(frozen=True)
class Value:
    """An observed value before and after, or None if it was not read."""

    label: str
    before: str | None
    after: str | None

    @property
    def has_changed(self) -> bool:
        return self.before is not None and self.after is not None and self.before != self.after


@dataclass(frozen=True)
class Line:
    """An entry in a list."""

    entry: AuditEntry

    @property
    def title(self) -> Text:
        return title_of(self.entry)

    @property
    def changes(self) -> str:
        return changes_of(self.entry)


def title_of(entry: AuditEntry) -> Text:
    """Return an action's past tense if it succeeded, else its name."""
    if action := BY_KEY.get(entry.action):
        return action.done if entry.outcome == Outcome.SUCCEEDED else action.name
    return EVENTS.get(entry.action, "API called" if entry.action == "api.call" else entry.action)


def values_of(entry: AuditEntry) -> list[Value]:
    """Return all observed values, in the order of observation."""
    before, after = entry.before or {}, entry.after or {}
    return [
        Value(label_of(name), _or_none(name, before), _or_none(name, after))
        for name in dict.fromkeys([*before, *after])
    ]


def changes_of(entry: AuditEntry) -> str:
    """Return the changed values in one line, for a list."""
    changed = [value for value in values_of(entry) if value.has_changed]
    return "; ".join(f"{value.label}: {value.before} → {value.after}" for value in changed)


def inputs_of(entry: AuditEntry) -> list[tuple[str, str]]:
    return [(label_of(name), in_words(name, value)) for name, value in entry.inputs.items()]


def label_of(name: str) -> str:
    return _LABELS.get(name) or name.replace("_", " ").capitalize()


def in_words(name: str, value: Any) -> str:
    if isinstance(value, bool):
        no, yes = _WORDS.get(name, ("no", "yes"))
        return yes if value else no
    if value is None and name in _WORDS:
        return "unknown"
    if value is None or value in ("", [], {}):
        return "nothing"
    if isinstance(value, str):
        return _moment(value) or value
    return str(value) if isinstance(value, int) else json.dumps(value, ensure_ascii=False)


def _or_none(name: str, values: dict[str, Any]) -> str | None:
    return in_words(name, values[name]) if name in values else None


def _moment(text: str) -> str:
    """Return a recorded time in words, in UTC, or "" for any other text."""
    try:
        moment = parse_datetime(text) if text.endswith("+00:00") else None
    except ValueError:
        moment = None
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else ""
