"""The profile of a PingOne user as a form: standard and custom attributes."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, ClassVar

from django import forms
from django.core.validators import RegexValidator
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.actions.custom_attributes import apply_schema, custom_fields, field_name
from console.actions.forms import ActionForm
from console.fields import EmailField, IdField, MultilineField, TextField
from pingone_integration.profiles import ATTRIBUTES, custom_name
from pingone_integration.schemas import Attribute
from pingone_integration.texts import Text
from pingone_integration.typed.names import problem_with, straightened
from pingone_integration.typed.text import Kind
from pingone_integration.users import User

# Source: PingOne API reference, Users > Users data model (read 2026-11).
_PHONE = RegexValidator(r"\d", _("Enter a phone number, for example +1 555 0100."))
_COUNTRY = RegexValidator(r"^[A-Z]{2}$", _("Enter two capital letters, for example US."))
_TIME_ZONE = RegexValidator(r"^\w+/\w+$", _("Enter a name such as America/New_York."))

_IN_A_SENTENCE = {"family_name": _("family name"), "formatted_name": _("formatted name")}


def _every(name: str) -> bool:
    return True


def profile_values(user: User) -> dict[str, Any]:
    """Return the user's profile by field name, as in pingone_integration.profiles.ATTRIBUTES."""
    return {
        "username": user.username,
        "email": user.email,
        "given_name": user.name.given,
        "middle_name": user.name.middle,
        "family_name": user.name.family,
        "formatted_name": user.name.formatted,
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


class ProfileForm(ActionForm):
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
        (_("Name"), ("given_name", "middle_name", "family_name", "formatted_name", "nickname")),
        (_("Contact"), ("mobile_phone", "primary_phone")),
        (_("Work"), ("title", "type", "account_id", "external_id")),
        (_("Address"), ("street_address", "postal_code", "locality", "region", "country_code")),
        (_("Language and time"), ("preferred_language", "locale", "timezone")),
    )

    ALWAYS: ClassVar[frozenset[str]] = frozenset()  # fields for every role

    def __init__(
        self,
        data: Any = None,
        *,
        attributes: tuple[Attribute, ...] | None = None,
        may_edit: Callable[[str], bool] = _every,
        **more: Any,
    ) -> None:
        """Set up the fields. `attributes` is None if the schema is unknown: then only standard attributes appear.

        `may_edit` says which fields, by our names, are this operator's to edit.
        """
        super().__init__(data, **more)
        self.knows_schema = attributes is not None
        apply_schema(self.fields, attributes or ())
        custom = custom_fields(attributes or ())
        self.fields |= custom
        names = [attribute.name for attribute in attributes or () if field_name(attribute.name) in custom]
        self.custom = {field_name(name): custom_name(name) for name in names}  # field name to our name
        self.not_theirs = self._leave_out(may_edit)

    def _leave_out(self, may_edit: Callable[[str], bool]) -> dict[str, Text]:
        """Leave out the fields that are not this operator's to edit. Return their labels by field."""
        standard = {name: name for name in self.fields if name in ATTRIBUTES and name not in self.ALWAYS}
        names = [field for field, ours in (standard | self.custom).items() if not may_edit(ours)]
        for name in names:
            self.custom.pop(name, None)
        return {name: self.fields.pop(name).label or name for name in names}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if sent := [str(label) for name, label in self.not_theirs.items() if name in self.data]:
            told = _("Your role cannot edit: {fields}. Nothing was saved.")
            raise forms.ValidationError(str(format_lazy(told, fields=", ".join(sent))))
        return cleaned

    def clean_family_name(self) -> str:
        return self._as_pingone_holds("family_name")

    def clean_formatted_name(self) -> str:
        return self._as_pingone_holds("formatted_name")

    def _as_pingone_holds(self, name: str) -> str:
        typed = str(self.cleaned_data[name])
        held = straightened(typed)
        if problem := problem_with(held):
            raise forms.ValidationError(str(problem))
        if held != typed:
            told = _("PingOne cannot hold “{typed}” as a {field}. It was saved as “{held}”.")
            self.notes.append(format_lazy(told, typed=typed, held=held, field=_IN_A_SENTENCE[name]))
        return held

    def problems(self) -> list[forms.BoundField]:
        """Return the fields with errors: the form is long, and they may be scrolled out of view."""
        return [field for field in self.visible_fields() if field.errors]

    def sections(self) -> Iterator[tuple[Text, list[forms.BoundField]]]:
        """Yield the fields under their headings."""
        more = (_("More about the user"), tuple(self.fields.keys() & self.custom.keys()))
        for heading, names in (*self.SECTIONS, more):
            if fields := [self[name] for name in self.fields if name in names]:
                yield heading, fields
        yield "", [self[name] for name in ("ticket", "reason") if name in self.fields]

    def filled_in(self) -> dict[str, Any]:
        """Return the typed values under our names, without fields that were not sent."""
        names = {name: name for name in self.fields if name in ATTRIBUTES} | self.custom
        return {
            ours: value.replace("\r\n", "\n") if isinstance(value := self.cleaned_data[name], str) else value
            for name, ours in names.items()
            if name in self.cleaned_data and name in self.data
        }


class NewUserForm(ProfileForm):
    ALWAYS = frozenset({"username"})  # there is no user without one

    population_id = IdField(label=_("Population"), widget=forms.Select, required=False)

    def inputs(self) -> dict[str, Any]:
        profile = {name: value for name, value in self.filled_in().items() if value not in ("", None, [])}
        return {"profile": profile, "population_id": self.cleaned_data["population_id"]}


def labels_of(names: Iterable[str]) -> Text:
    """Return the labels of profile fields by our names, in a list. A custom attribute is its own label."""
    fields = ProfileForm.base_fields
    labels = [fields[name].label or name if name in fields else name for name in names]
    return format_lazy(", ".join(["{}"] * len(labels)), *labels)
