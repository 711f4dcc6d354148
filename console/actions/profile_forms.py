"""The profile of a PingOne user as a form: standard and custom attributes, edits with optimistic locking."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.core.serializers.json import DjangoJSONEncoder
from django.core.validators import RegexValidator
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from console.actions.custom_attributes import (
    JsonField,
    apply_schema,
    can_edit,
    custom_fields,
    field_name,
    keep_current_value,
)
from console.actions.forms import ActionForm
from console.fields import EmailField, IdField, MultilineField, TextField
from pingone_integration.profiles import custom_name, in_words, values_of_custom
from pingone_integration.schemas import Attribute
from pingone_integration.texts import Text
from pingone_integration.typed_text import Kind
from pingone_integration.users import User

# Source: PingOne API reference, Users > Users data model (read 2026-11).
_PHONE = RegexValidator(r"\d", _("Enter a phone number, for example +1 555 0100."))
_COUNTRY = RegexValidator(r"^[A-Z]{2}$", _("Enter two capital letters, for example US."))
_TIME_ZONE = RegexValidator(r"^\w+/\w+$", _("Enter a name such as America/New_York."))


def profile_values(user: User) -> dict[str, Any]:
    """Return the user's profile by field name, as in pingone_integration.profiles.ATTRIBUTES."""
    return {
        "username": user.username,
        "email": user.email,
        "given_name": user.name.given,
        "middle_name": user.name.middle,
        "family_name": user.name.family,
        "nickname": user.nickname,
        "title": user.title,
        "type": user.type,
        "primary_phone": user.primary_phone,
        "mobile_phone": user.mobile_phone,
        "preferred_language": user.preferred_language,
        "locale": user.locale,
        "timezone": user.timezone,
        "street_address": user.address.street,
        "locality": user.address.locality,
        "region": user.address.region,
        "postal_code": user.address.postal_code,
        "country_code": user.address.country_code,
        "account_id": user.account_id,
        "external_id": user.external_id,
    }


class _ProfileForm(ActionForm):
    username = TextField(kind=Kind.ID, label=_("Username"), max_length=128)
    email = EmailField(label=_("Email"), required=False)
    given_name = TextField(label=_("Given name"), max_length=256, required=False)
    middle_name = TextField(label=_("Middle name"), max_length=256, required=False)
    family_name = TextField(label=_("Family name"), max_length=256, required=False)
    nickname = TextField(label=_("Nickname"), max_length=256, required=False)
    title = TextField(label=_("Title"), max_length=256, required=False)
    type = TextField(label=_("Type"), max_length=256, required=False)
    primary_phone = TextField(kind=Kind.ID, label=_("Phone"), max_length=32, required=False, validators=[_PHONE])
    mobile_phone = TextField(kind=Kind.ID, label=_("Mobile phone"), max_length=32, required=False, validators=[_PHONE])
    preferred_language = TextField(kind=Kind.ID, label=_("Preferred language"), max_length=256, required=False)
    locale = TextField(kind=Kind.ID, label=_("Locale"), max_length=256, required=False)
    timezone = TextField(kind=Kind.ID, label=_("Time zone"), max_length=256, required=False, validators=[_TIME_ZONE])
    street_address = MultilineField(
        label=_("Street address"), max_length=256, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    locality = TextField(label=_("City"), max_length=256, required=False)
    region = TextField(label=_("Region"), max_length=256, required=False)
    postal_code = TextField(label=_("Postal code"), max_length=40, required=False)
    country_code = TextField(kind=Kind.ID, label=_("Country"), max_length=2, required=False, validators=[_COUNTRY])
    account_id = TextField(kind=Kind.ID, label=_("Account ID"), max_length=256, required=False)
    external_id = TextField(kind=Kind.ID, label=_("External ID"), max_length=1024, required=False)

    template_name_div = "console/actions/profile_form.html"
    looks_at_schema = True

    SECTIONS: ClassVar[tuple[tuple[Text, tuple[str, ...]], ...]] = (
        (_("Account"), ("username", "email", "population_id")),
        (_("Name"), ("given_name", "middle_name", "family_name", "nickname")),
        (_("Contact"), ("mobile_phone", "primary_phone")),
        (_("Work"), ("title", "type", "account_id", "external_id")),
        (_("Address"), ("street_address", "postal_code", "locality", "region", "country_code")),
        (_("Language and time"), ("preferred_language", "locale", "timezone")),
    )

    def __init__(self, data: Any = None, *, attributes: tuple[Attribute, ...] | None = None, **more: Any) -> None:
        """Set up the fields. `attributes` is None if the schema is unknown: then only standard attributes appear."""
        super().__init__(data, **more)
        self.knows_schema = attributes is not None
        apply_schema(self.fields, attributes or ())
        custom = custom_fields(attributes or ())
        self.fields |= custom
        names = [attribute.name for attribute in attributes or () if field_name(attribute.name) in custom]
        self.custom = {field_name(name): custom_name(name) for name in names}  # field name to our name

    def problems(self) -> list[forms.BoundField]:
        """Return the fields with errors: the form is long, and they may be scrolled out of view."""
        return [field for field in self.visible_fields() if field.errors]

    def sections(self) -> Iterator[tuple[Text, list[forms.BoundField]]]:
        """Yield the fields under their headings."""
        more = (_("More about the user"), tuple(self.fields.keys() & self.custom.keys()))
        for heading, names in (*self.SECTIONS, more):
            if fields := [self[name] for name in self.fields if name in names]:
                yield heading, fields
        yield "", [self[name] for name in ("ticket", "reason")]

    def filled_in(self) -> dict[str, Any]:
        """Return the typed values under our names, without fields that were not sent."""
        names = {name: name for name in _ProfileForm.base_fields if name not in self.COMMON} | self.custom
        return {
            ours: value.replace("\r\n", "\n") if isinstance(value := self.cleaned_data[name], str) else value
            for name, ours in names.items()
            if name in self.cleaned_data and name in self.data
        }


class NewUserForm(_ProfileForm):
    population_id = IdField(label=_("Population"), widget=forms.Select, required=False)

    def inputs(self) -> dict[str, Any]:
        profile = {name: value for name, value in self.filled_in().items() if value not in ("", None, [])}
        return {"profile": profile, "population_id": self.cleaned_data["population_id"]}


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A field that was edited while the user changed at PingOne. Values are in words, empty if absent."""

    name: str  # of the field
    label: str
    typed: str
    now: str  # at PingOne
    changed_there: bool | None  # None if the value at the opening of the form is unknown
    sent: tuple[str, ...]  # as typed, to be sent again


class EditUserForm(_ProfileForm):
    """The form to edit a user. Only an edited field is a change; a field that was not sent is unchanged.

    The form carries its original values, to distinguish the operator's edits from changes by others. For an edited
    field, `take.<field>` set to `theirs` keeps PingOne's value.
    """

    looks_at_user = True
    takes_parts = True

    seen_at = forms.DateTimeField(widget=forms.HiddenInput, required=False)  # `updated_at` of the user on the page
    seen = JsonField(widget=forms.HiddenInput, required=False)  # the values on the page, by field

    def __init__(self, data: Any = None, *, user: User | None = None, **more: Any) -> None:
        initial = more.pop("initial", None) or {}
        super().__init__(data, user=user, **more)
        self.now = self._values(user) if user else {}
        for name in self.now.keys() & self.custom.keys():
            if can_edit(self.fields[name], self.now[name]):
                keep_current_value(self.fields[name], self.now[name])
            else:
                del self.fields[name], self.custom[name], self.now[name]
        seen_at = user.updated_at.isoformat() if user and user.updated_at else ""
        seen = json.loads(json.dumps(self.now, cls=DjangoJSONEncoder))
        self.initial.update({**self.now, "seen_at": seen_at, "seen": seen, **initial})
        if data is not None:
            for name in self.now:
                self.fields[name].required &= name in data

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.user and not self.errors and not self._changes():
            raise forms.ValidationError(_("No changes to save."))
        return cleaned

    def inputs(self) -> dict[str, Any]:
        seen_at: datetime | None = self.cleaned_data["seen_at"]
        return {"changes": self._changes(), "seen_at": seen_at}

    def differences(self) -> list[Difference]:
        """Return, for a valid form, each edited value beside PingOne's current value."""
        seen = self._seen()
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

    def _seen(self) -> dict[str, Any]:
        seen = self.cleaned_data.get("seen")
        return seen if isinstance(seen, dict) else {}

    def _changes(self) -> dict[str, Any]:
        """Return the typed values that differ both from the original values and from PingOne's current values."""
        typed, seen = self.filled_in(), self._seen()
        changes = {}
        for name, now in self.now.items():
            ours = self.custom.get(name, name)
            if ours not in typed or self.data.get(f"take.{name}") == "theirs":
                continue
            if not _same(typed[ours], now) and not (name in seen and _same(typed[ours], seen[name])):
                changes[ours] = typed[ours]
        return changes


def _same(typed: Any, stored: Any) -> bool:
    """Return whether a typed value equals the stored value, apart from changes that the form itself makes."""
    if typed in ("", None, []):
        return stored in ("", None, [])
    if isinstance(typed, list) and isinstance(stored, list):
        return [_typed(one) for one in typed] == [_typed(one) for one in stored]
    return type(typed) is type(stored) and bool(_typed(typed) == _typed(stored))


def _typed(value: Any) -> Any:
    return value.replace("\r\n", "\n").strip() if isinstance(value, str) else value
