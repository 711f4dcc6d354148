"""The form to edit a user's profile: only what was edited is checked, compared and sent (optimistic locking)."""

import json
from copy import copy
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.serializers.json import DjangoJSONEncoder
from django.http import QueryDict
from django.utils.functional import cached_property
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.actions.custom_attributes import LONGEST, JsonField, can_edit, keep_current_value
from console.actions.profile_forms import ProfileForm, profile_values
from console.fields import TextField
from pingone_integration.profiles import in_words, values_of_custom
from pingone_integration.typed.names import changed_in
from pingone_integration.users import User

NO_CHANGES = "no-changes"  # the code of the error

_EMPTY: tuple[Any, ...] = ("", None, [])
_PARTS_OF_A_NAME = ("given_name", "middle_name", "family_name")


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A field that was edited while the user changed at PingOne. Values are in words, empty if absent."""

    name: str  # of the field
    label: str
    typed: str
    now: str  # at PingOne
    changed_there: bool | None  # None if the value at the opening of the form is unknown
    sent: tuple[str, ...]  # as typed, to be sent again


class EditUserForm(ProfileForm):
    """The form to edit a user. Only an edited field is a change: other values are not even checked.

    PingOne may hold values that this form would refuse. The form carries the values that it showed, to distinguish
    the operator's edits from changes by others. For an edited field, `take.<field>` set to `theirs` keeps PingOne's.
    """

    looks_at_user = True
    takes_parts = True

    formatted_name = TextField(label=_("Formatted name"), max_length=256, required=False)
    formatted_offered = forms.BooleanField(widget=forms.HiddenInput, required=False)
    seen_at = forms.DateTimeField(widget=forms.HiddenInput, required=False)  # `updated_at` of the user on the page
    # The values on the page, by field. A whole profile in JSON is longer than PingOne's limit of a profile.
    seen = JsonField(widget=forms.HiddenInput, required=False, longest=10 * LONGEST)

    def __init__(self, data: Any = None, *, user: User | None = None, **more: Any) -> None:
        initial = more.pop("initial", None) or {}
        super().__init__(data, user=user, **more)
        self.now = self._values(user) if user else {}
        for name in self.now.keys() & self.custom.keys():
            if can_edit(self.fields[name], self.now[name]):
                keep_current_value(self.fields[name], self.now[name])
            else:
                del self.fields[name], self.custom[name], self.now[name]
        for name, value in self.now.items():
            self.fields[name].required &= value not in _EMPTY  # an absent value may stay absent
        seen_at = user.updated_at.isoformat() if user and user.updated_at else ""
        seen = json.loads(json.dumps(self.now, cls=DjangoJSONEncoder))
        self.initial.update({**self.now, "seen_at": seen_at, "seen": seen, **initial})

    def full_clean(self) -> None:
        """Check the edited fields only."""
        every_field = self.fields
        if self.is_bound and self.user:
            kept = {name for name in self.now if not self._is_edited(name)}
            self.fields = {name: field for name, field in every_field.items() if name not in kept}
        try:
            super().full_clean()
        finally:
            self.fields = every_field
        if self.is_bound and self.user and not self.errors:
            self._offer_formatted_name()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.user and not self.errors and not self._changes():
            raise forms.ValidationError(_("No changes to save."), code=NO_CHANGES)
        return cleaned

    def inputs(self) -> dict[str, Any]:
        changes = self._changes()
        seen = {self.custom.get(name, name): value for name, value in self._seen.items()}
        return {
            "changes": changes,
            "seen": {name: seen[name] for name in changes if name in seen},
            "seen_at": self.cleaned_data["seen_at"],
        }

    def differences(self) -> list[Difference]:
        """Return, for a valid form, each edited value beside PingOne's current value."""
        seen = self._seen
        edited = {name: value for name, value in self.now.items() if self.custom.get(name, name) in self._changes()}
        return [
            Difference(
                name=name,
                label=str(self.fields[name].label),
                typed=in_words(self.cleaned_data[name]),
                now=in_words(now),
                changed_there=seen[name] != now if name in seen else None,
                sent=tuple(self.data.getlist(name) if isinstance(self.data, QueryDict) else [self.data[name]]),
            )
            for name, now in edited.items()
        ]

    def _values(self, user: User) -> dict[str, Any]:
        known = profile_values(user) | values_of_custom(user)
        names = [name for name in profile_values(user) if name in self.fields]
        return {name: known.get(ours, "") for name, ours in [*zip(names, names, strict=True), *self.custom.items()]}

    @cached_property
    def _seen(self) -> dict[str, Any]:
        """Return the values that the page showed, by field. Empty if it did not send them."""
        try:
            seen = self.fields["seen"].clean(self.data.get("seen"))
        except forms.ValidationError:
            return {}
        return {name: value for name, value in seen.items() if name in self.now} if isinstance(seen, dict) else {}

    def _is_edited(self, name: str) -> bool:
        """Return whether the field was sent with another text than the page showed, and than PingOne has now."""
        if name not in self.data or self.data.get(f"take.{name}") == "theirs":
            return False
        field, seen = self.fields[name], self._seen
        sent = _as_sent(field, field.widget.value_from_datadict(self.data, self.files, name))
        shown = [self.now[name], *([seen[name]] if name in seen else [])]
        return all(sent != _as_sent(field, field.prepare_value(value)) for value in shown)

    def _changes(self) -> dict[str, Any]:
        """Return the typed values that differ both from the original values and from PingOne's current values."""
        typed, seen = self.filled_in(), self._seen
        changes = {}
        for name, now in self.now.items():
            ours = self.custom.get(name, name)
            if ours in typed and not _same(typed[ours], now) and not (name in seen and _same(typed[ours], seen[name])):
                changes[ours] = typed[ours]
        return changes

    def _offer_formatted_name(self) -> None:
        """Ask once about a formatted name that holds a changed part of the name as it was, and fill in the new one."""
        changes, held = self._changes(), str(self.now.get("formatted_name", ""))
        is_told = "formatted_name" in self.data and "seen" not in self.data  # on the command line
        if "formatted_name" in changes or is_told or self.cleaned_data["formatted_offered"]:
            return
        parts = {str(self.now[part]): str(changes[part]) for part in _PARTS_OF_A_NAME if part in changes}
        offered = changed_in(held, parts)
        if offered == held:
            return
        data: Any = copy(self.data)  # the copy of a request's data is mutable
        data["formatted_name"], data["formatted_offered"] = offered, "1"
        self.data = data
        told = _("The formatted name is still “{held}”. Use “{offered}”, or another one, or “{held}” again to keep it.")
        self.add_error("formatted_name", str(format_lazy(told, held=held, offered=offered)))


def _as_sent(field: forms.Field, value: Any) -> Any:
    """Return a field's value as browsers send it, to compare: they end lines with CR LF, or leave line ends out."""
    if isinstance(value, list):
        return [str(one) for one in value]
    text = "" if value is None else str(value)
    has_lines = isinstance(field.widget, forms.Textarea)
    return (text.replace("\r\n", "\n") if has_lines else "".join(text.splitlines())).strip()


def _same(typed: Any, stored: Any) -> bool:
    """Return whether a typed value equals the stored value, apart from changes that the form itself makes."""
    if typed in _EMPTY:
        return stored in _EMPTY
    if isinstance(typed, list) and isinstance(stored, list):
        return [_typed(one) for one in typed] == [_typed(one) for one in stored]
    return type(typed) is type(stored) and bool(_typed(typed) == _typed(stored))


def _typed(value: Any) -> Any:
    return value.replace("\r\n", "\n").strip() if isinstance(value, str) else value
