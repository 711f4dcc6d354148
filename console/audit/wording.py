"""An entry of the audit log in words: the action, and the values that changed.

`changes_of` is in the active language, which is English for an export.
"""

import json
from dataclasses import dataclass
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _

from console.actions.catalogue import BY_KEY
from console.audit.api_requests import shown_inputs
from console.audit.entries import EVENTS, Outcome
from console.audit.objects import Object, object_of
from console.models import AuditEntry
from console.user_mails.events import EVENTS as EMAILS_TO_USERS
from pingone_integration.texts import Text

_WITHOUT_OPERATOR: dict[str, Text] = {
    AuditEntry.Actor.USER: _("the user themself"),
    AuditEntry.Actor.ORGANIZATION: _("the organization, by a plan"),
}
_LABELS: dict[str, Text] = {
    # A user
    "account_id": _("Account ID"),
    "bypass_until": _("MFA bypass until"),
    "country_code": _("Country"),
    "email": _("Email"),
    "email_verified": _("Email status"),
    "enabled": _("Status"),
    "exists": _("User"),
    "external_id": _("External ID"),
    "family_name": _("Family name"),
    "formatted_name": _("Formatted name"),
    "given_name": _("Given name"),
    "is_locked": _("Account"),
    "locale": _("Locale"),
    "locality": _("City"),
    "mfa_enabled": _("MFA"),
    "middle_name": _("Middle name"),
    "mobile_phone": _("Mobile phone"),
    "name": _("Name"),
    "name_prefix": _("Prefix"),
    "name_suffix": _("Suffix"),
    "nickname": _("Nickname"),
    "password": _("Password"),
    "password_changed_at": _("Password last changed"),
    "password_locked": _("Password lock"),
    "photo_url": _("Photo"),
    "population_id": _("Population ID"),
    "population_groups": _("Groups of the population"),
    "population_name": _("Population"),
    "postal_code": _("Postal code"),
    "preferred_language": _("Preferred language"),
    "primary_phone": _("Primary phone"),
    "region": _("Region"),
    "sessions": _("Sessions"),
    "street_address": _("Street address"),
    "timezone": _("Time zone"),
    "title": _("Title"),
    "type": _("Type"),
    "unlock_at": _("Unlocks at"),
    "username": _("Username"),
    # A user's group, device or session
    "client": _("Client"),
    "device": _("Device"),
    "device_id": _("Device ID"),
    "device_locked": _("Device lock"),
    "direct_member": _("Direct member"),
    "from": _("From"),
    "group": _("Group"),
    "group_id": _("Group ID"),
    "group_population": _("Group's population"),
    "paired": _("Paired"),
    "session_id": _("Session ID"),
    "signed_on": _("Session"),
    # What an operator entered
    "changes": _("Changes"),
    "seen": _("Based on these values"),
    "seen_at": _("Based on values read at"),
    "until": _("Until"),
    # The filters of an export
    "action": _("Action"),
    "format": _("Format"),
    "operator": _("Operator"),
    "outcome": _("Outcome"),
    "since": _("From"),
    "ticket": _("Ticket"),
    "user": _("User"),
    # An API request, a member, a ticket rule, the connection
    "body": _("Body"),
    "media_type": _("Content type"),
    "method": _("Method"),
    "path": _("Path"),
    "query": _("Query"),
    "status": _("Response status"),
    "role": _("Role"),
    "second_factor_optional": _("Roles without a second factor"),
    "invited_by": _("Invited by"),
    "populations": _("Populations"),
    "pattern": _("Pattern"),
    "requirement": _("Ticket"),
    "auth_url": _("Auth URL"),
    "client_authentication": _("Client authentication"),
    "client_id": _("Client ID"),
    "client_secret_replaced": _("Client secret replaced"),
    "environment_id": _("Environment ID"),
    "event": _("Event"),
    **{event.key: event.label for event in EMAILS_TO_USERS},
    "lock_days": _("Days of a lock by “this was not me”"),
    # An operator's account, a refusal, a limit
    "factor": _("Factor"),
    "page": _("Page"),
    "permission": _("Permission"),
    "limit": _("Limit"),
    "most": _("At most"),
    "about": _("ID"),
}
_WORDS: dict[str, tuple[Text, Text]] = {  # no, yes
    "enabled": (_("deactivated"), _("activated")),
    "is_locked": (_("not locked"), _("locked")),
    "mfa_enabled": (_("off"), _("on")),
    "email_verified": (_("not verified"), _("verified")),
    "device_locked": (_("not locked"), _("locked")),
    "password_locked": (_("not locked"), _("locked")),
    "signed_on": (_("ended"), _("signed in")),
    "exists": (_("does not exist"), _("exists")),
}
_NO_OR_YES: tuple[Text, Text] = (_("no"), _("yes"))


@dataclass(frozen=True)
class Value:
    """An observed value before and after, or None if it was not read."""

    label: Text
    before: Text | None
    after: Text | None

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
    def who(self) -> Text:
        """Return the operator, or the user themself, for the page of a user."""
        return who_of(self.entry) or _("unknown")

    @property
    def whom(self) -> Text:
        """Return the user, group or other object for the page of an operator."""
        return self.entry.subject_name or self.entry.get_subject_kind_display()

    @property
    def object(self) -> Object | None:
        return object_of(self.entry)

    @property
    def changes(self) -> str:
        return changes_of(self.entry)


def who_of(entry: AuditEntry) -> Text:
    """Return the operator's address, or what acts in an operator's place; "" for an unknown person."""
    return _WITHOUT_OPERATOR.get(entry.actor) or entry.operator_email


def title_of(entry: AuditEntry) -> Text:
    """Return an action's past tense if it succeeded, else its name."""
    if action := BY_KEY.get(entry.action):
        return action.done if entry.outcome == Outcome.SUCCEEDED else action.name
    return EVENTS.get(entry.action) or (_("API request") if entry.action == "api.call" else entry.action)


def values_of(entry: AuditEntry) -> list[Value]:
    """Return all observed values, in the order of observation."""
    before, after = entry.before or {}, entry.after or {}
    return [
        Value(label_of(name), _or_none(name, before), _or_none(name, after))
        for name in dict.fromkeys([*before, *after])
    ]


def changes_of(entry: AuditEntry) -> str:
    """Return the changed values in one line, for a list."""
    before, after = entry.before or {}, entry.after or {}
    both = [name for name in before if name in after and before[name] != after[name]]
    in_both = [(name, str(in_words(name, before[name])), str(in_words(name, after[name]))) for name in both]
    return "; ".join(f"{label_of(name)}: {old} → {new}" for name, old, new in in_both if old != new)


def inputs_of(entry: AuditEntry) -> list[tuple[Text, Text]]:
    shown = shown_inputs(entry.action, entry.inputs)
    return [(label_of(name), in_words(name, value)) for name, value in shown.items()]


def label_of(name: str) -> Text:
    return _LABELS.get(name) or name.replace("_", " ").capitalize()


def in_words(name: str, value: Any) -> Text:
    if isinstance(value, bool):
        no, yes = _WORDS.get(name, _NO_OR_YES)
        return yes if value else no
    if value is None and name in _WORDS:
        return _("unknown")
    if value is None or value in ("", [], {}):
        return _("none")
    if isinstance(value, list) and all(isinstance(one, dict) and one.get("name") for one in value):
        return ", ".join(str(one["name"]) for one in value)
    if isinstance(value, str):
        return _moment(value) or value
    return str(value) if isinstance(value, int) else json.dumps(value, ensure_ascii=False)


def _or_none(name: str, values: dict[str, Any]) -> Text | None:
    return in_words(name, values[name]) if name in values else None


def _moment(text: str) -> str:
    """Return a recorded time in words, in UTC, or "" for any other text."""
    try:
        moment = parse_datetime(text) if text.endswith("+00:00") else None
    except ValueError:
        moment = None
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment else ""
