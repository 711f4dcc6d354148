"""The profile of a PingOne user as a form: the attributes that every environment has."""

from datetime import datetime
from typing import Any

from django import forms
from django.core.validators import RegexValidator

from console.action_forms import ActionForm
from pingone_integration.users import User

# Source: PingOne API reference, Users > Users data model (read 2026-11).
_PHONE = RegexValidator(r"\d", "A phone number has at least one digit.")
_COUNTRY = RegexValidator(r"^[A-Z]{2}$", "Two capital letters, for example SE.")
_TIME_ZONE = RegexValidator(r"^\w+/\w+$", "A name such as Europe/Stockholm.")


def profile_values(user: User) -> dict[str, Any]:
    """The user's profile under the names of the form's fields, as in pingone_integration.profiles.ATTRIBUTES."""
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
    username = forms.CharField(label="Username", max_length=128)
    email = forms.EmailField(label="E-mail", required=False)
    given_name = forms.CharField(label="Given name", max_length=256, required=False)
    middle_name = forms.CharField(label="Middle name", max_length=256, required=False)
    family_name = forms.CharField(label="Family name", max_length=256, required=False)
    nickname = forms.CharField(label="Nickname", max_length=256, required=False)
    title = forms.CharField(label="Title", max_length=256, required=False)
    type = forms.CharField(label="Type", max_length=256, required=False)
    primary_phone = forms.CharField(label="Phone", max_length=32, required=False, validators=[_PHONE])
    mobile_phone = forms.CharField(label="Mobile phone", max_length=32, required=False, validators=[_PHONE])
    preferred_language = forms.CharField(label="Preferred language", max_length=256, required=False)
    locale = forms.CharField(label="Locale", max_length=256, required=False)
    timezone = forms.CharField(label="Time zone", max_length=256, required=False, validators=[_TIME_ZONE])
    street_address = forms.CharField(
        label="Street address", max_length=256, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    locality = forms.CharField(label="Town", max_length=256, required=False)
    region = forms.CharField(label="Region", max_length=256, required=False)
    postal_code = forms.CharField(label="Postal code", max_length=40, required=False)
    country_code = forms.CharField(label="Country", max_length=2, required=False, validators=[_COUNTRY])
    account_id = forms.CharField(label="Account ID", max_length=256, required=False)
    external_id = forms.CharField(label="External ID", max_length=1024, required=False)

    def filled_in(self) -> dict[str, Any]:
        names = _ProfileForm.base_fields.keys() - set(self.COMMON)
        return {name: value.replace("\r\n", "\n") for name, value in self.cleaned_data.items() if name in names}


class NewUserForm(_ProfileForm):
    population_id = forms.UUIDField(label="Population", widget=forms.Select, required=False)

    def inputs(self) -> dict[str, Any]:
        profile = {name: value for name, value in self.filled_in().items() if value}
        return {"profile": profile, "population_id": self.cleaned_data["population_id"]}


class EditUserForm(_ProfileForm):
    """Only what differs from the user's profile is a change; a field that was not sent at all is none."""

    looks_at_user = True
    takes_parts = True

    seen_at = forms.DateTimeField(widget=forms.HiddenInput, required=False)  # `updated_at` of what the page showed

    def __init__(self, data: Any = None, *, user: User | None = None, **more: Any) -> None:
        if user:
            seen_at = user.updated_at and user.updated_at.isoformat()
            more["initial"] = profile_values(user) | {"seen_at": seen_at} | (more.get("initial") or {})
        super().__init__(data, user=user, **more)
        if data is not None:
            for name in profile_values(user) if user else ():
                self.fields[name].required &= name in data

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.errors and not self._changes():
            raise forms.ValidationError("Nothing is changed.")
        return cleaned

    def inputs(self) -> dict[str, Any]:
        seen_at: datetime | None = self.cleaned_data["seen_at"]
        return {"changes": self._changes(), "seen_at": seen_at}

    def _changes(self) -> dict[str, Any]:
        now = profile_values(self.user) if self.user else {}
        return {
            name: value
            for name, value in self.filled_in().items()
            if name in now and name in self.data and value != _typed(now[name])
        }


def _typed(value: str) -> str:
    """A value as it comes back from a form where nobody touched it."""
    return value.replace("\r\n", "\n").strip()
