"""The form of a template: its groups, its population, and the profile fields that many users share."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast
from uuid import UUID

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.access import OrgAccess
from console.actions.custom_attributes import field_name
from console.actions.profile_forms import ProfileForm
from console.fields import TextField
from console.models import UserTemplate
from console.models.user_templates import LONGEST_NAME
from console.users.group_forms import UuidsField
from pingone_integration.populations import Population
from pingone_integration.schemas import Attribute
from pingone_integration.texts import Text

MOST_GROUPS = 50
Fields = dict[str, Any]  # as typed, by the names of fields

_OF_ONE_PERSON = frozenset(
    {
        *("username", "email", "primary_phone", "mobile_phone", "account_id", "external_id"),
        *("given_name", "middle_name", "family_name", "nickname"),
    }
)
_ANY = ("", _("Any: the template says nothing of it"))


class UserTemplateForm(ProfileForm):
    """Fields that are left empty are no part of the template. The values are checked as those of a user."""

    name = TextField(label=_("Name"), max_length=LONGEST_NAME, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    population_id = forms.ChoiceField(label=_("Population"), required=False)
    group_ids = UuidsField(required=False)
    confirmed = forms.BooleanField(required=False, widget=forms.HiddenInput)
    seen = TextField(required=False, widget=forms.HiddenInput)

    def __init__(
        self,
        data: Any = None,
        *,
        access: OrgAccess,
        attributes: tuple[Attribute, ...] | None,
        populations: Iterable[Population],
        saved: UserTemplate | None = None,
    ) -> None:
        shared = None if attributes is None else tuple(one for one in attributes if not one.unique)
        super().__init__(data, attributes=shared)
        contacts = {field_name(name) for name in access.org.contact_attributes}
        for name in (*self.COMMON, *_OF_ONE_PERSON, *contacts):
            self.fields.pop(name, None)
        for name in self.profile_names:
            self.fields[name].required = False
        self.organization, self.saved = access.org, saved
        listed = {str(one.id): one.name for one in populations}
        if saved and saved.population_id:
            listed.setdefault(str(saved.population_id), saved.population_name)
        cast("forms.ChoiceField", self.fields["population_id"]).choices = [_ANY, *listed.items()]
        self.population_names = listed

    @property
    def profile_names(self) -> list[str]:
        """Return the fields that are attributes of a user."""
        own = {"name", "population_id", "group_ids", "confirmed", "seen"}
        return [name for name in self.fields if name not in own]

    @property
    def chosen_groups(self) -> list[UUID]:
        """Return the groups that were sent, also of a form with errors."""
        try:
            return list(self.fields["group_ids"].to_python(self["group_ids"].value()) or [])
        except forms.ValidationError:
            return []

    def clean_group_ids(self) -> list[Any]:
        chosen: list[Any] = self.cleaned_data["group_ids"]
        if len(chosen) > MOST_GROUPS:
            raise forms.ValidationError(format_lazy(_("Choose at most {most} groups."), most=MOST_GROUPS))
        return chosen

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        others = UserTemplate.objects.filter(organization=self.organization, name__iexact=name)
        if any(one != self.saved for one in others):
            raise forms.ValidationError(_("There is a template with this name. Choose another one."))
        return name

    def typed(self) -> Fields:
        """Return the fields that are filled in. Those that the form could not show stay as they were saved."""
        kept = {} if self.knows_schema or not self.saved else self.saved.fields
        kept = {name: value for name, value in kept.items() if name not in self.fields}
        values = {name: self.fields[name].prepare_value(self.cleaned_data.get(name)) for name in self.profile_names}
        return kept | {name: value for name, value in values.items() if value not in ("", None, [])}

    def sections(self) -> Iterator[tuple[Text, list[forms.BoundField]]]:
        """Yield the profile fields under their headings."""
        for heading, fields in super().sections():
            if heading and (shown := [field for field in fields if field.name in self.profile_names]):
                yield heading, shown


def as_data(saved: UserTemplate) -> Mapping[str, Any]:
    """Return a template as the form would send it."""
    return {
        **saved.fields,
        "name": saved.name,
        "population_id": str(saved.population_id or ""),
        "group_ids": [one["id"] for one in saved.groups],
        "seen": saved.changed_at.isoformat(),
    }
