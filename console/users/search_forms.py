"""The search forms of the user list, the group list and a group's page, filled from the URL. No form calls PingOne."""

from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import urlencode
from uuid import UUID

from django.core.exceptions import ValidationError
from django.forms import BooleanField, Form, Select, TextInput, TypedChoiceField
from django.forms.widgets import HiddenInput
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.fields import IdField, TextField
from pingone_integration.texts import Text
from pingone_integration.typed.text import Kind
from pingone_integration.user_search import BadFilter, Criteria, Search, search_of

PAGE_SIZES = (25, 50, 100, 200)


class PageSizeField(TypedChoiceField):
    """The page size. A value that is not among the choices means the smallest."""

    def __init__(self) -> None:
        choices = [(size, format_lazy(_("{size} per page"), size=size)) for size in PAGE_SIZES]
        super().__init__(label=_("Page size"), required=False, choices=choices, coerce=int)

    def clean(self, value: Any) -> int:
        try:
            return cast("int", super().clean(value) or PAGE_SIZES[0])
        except ValidationError:
            return PAGE_SIZES[0]


class UserSearchForm(Form):
    """The search of the user list, from the URL. Every field is optional."""

    q = TextField(label=_("Search"), required=False)
    population = IdField(
        label=_("Population"), required=False, widget=Select, error_messages={"invalid": _("This is not a population.")}
    )
    group = IdField(
        label=_("Group"), required=False, widget=HiddenInput, error_messages={"invalid": _("This is not a group.")}
    )
    enabled = TypedChoiceField(
        label=_("Status"),
        required=False,
        choices=[("", _("Any status")), ("true", _("Activated")), ("false", _("Deactivated"))],
        coerce=lambda value: value == "true",
        empty_value=None,
    )
    filter = TextField(
        kind=Kind.VERBATIM,
        label=_("SCIM filter"),
        required=False,
        max_length=2_000,
        widget=TextInput(attrs={"spellcheck": "false", "autocapitalize": "off", "autocomplete": "off"}),
        help_text=format_lazy(_("For example: {filter}"), filter='title eq "Analyst" and address.countryCode eq "SE"'),
    )
    limit = PageSizeField()
    text = BooleanField(required=False)  # a user ID is searched as text: nobody has it as their ID

    def __init__(
        self,
        data: Mapping[str, str],
        *,
        countries: tuple[str, ...] = (),
        populations: frozenset[UUID] | None = None,
    ) -> None:
        """`countries` and `populations` as in Criteria."""
        super().__init__(data)
        self.countries = countries
        self.populations = populations

    def clean(self) -> dict[str, Any]:
        """Add `search`: all criteria as PingOne gets them."""
        cleaned = super().clean() or self.cleaned_data
        try:
            cleaned["search"] = search_of(self.criteria)
        except BadFilter as error:
            self.add_error("filter", str(error))
        return cleaned

    @property
    def search(self) -> Search:
        """Return the search; nothing is searched while the form is not valid."""
        found: Search = self.cleaned_data.get("search", Search())
        return found

    @property
    def criteria(self) -> Criteria:
        """Return the criteria of the valid fields."""
        return Criteria(
            text=self.cleaned_data.get("q", ""),
            raw_filter=self.cleaned_data.get("filter", ""),
            population_id=self.cleaned_data.get("population"),
            group_id=self.cleaned_data.get("group"),
            enabled=self.cleaned_data.get("enabled"),
            countries=self.countries,
            populations=self.populations,
        )

    def query(self, **changes: str) -> str:
        """Return the search as a query string, without empty and default values; "" removes a field."""
        chosen = {name: self.data.get(name, "") for name in self.fields if name in self.cleaned_data}
        if self.cleaned_data.get("limit", PAGE_SIZES[0]) == PAGE_SIZES[0]:
            chosen.pop("limit", None)
        return urlencode({name: value.strip() for name, value in (chosen | changes).items() if value.strip()})

    def offer_populations(self, populations: list[tuple[UUID, str]]) -> None:
        """Fill the population filter. Keep the current choice, even if it is not in the list."""
        chosen = self.cleaned_data.get("population")
        offered: list[tuple[str, Text]] = [(str(population_id), name) for population_id, name in populations]
        if chosen and str(chosen) not in dict(offered):
            offered.append((str(chosen), format_lazy(_("Population {population_id}"), population_id=chosen)))
        cast("Select", self.fields["population"].widget).choices = [("", _("All populations")), *offered]


class GroupSearchForm(Form):
    """The search of the group list, from the URL."""

    q = TextField(
        label=_("Find a group whose name starts with"),
        required=False,
        max_length=256,
        widget=TextInput(attrs={"type": "search", "autocomplete": "off", "placeholder": _("Group name starts with")}),
    )


class GroupMembersForm(Form):
    """The searches of a group's page: among its members, and for a user to add."""

    q = TextField(
        label=_("Find a member by name, username, email or phone number"),
        required=False,
        widget=TextInput(attrs={"type": "search", "autocomplete": "off", "placeholder": _("Find a member")}),
    )
    add = TextField(
        label=_("Find a user to add by name, username, email or phone number"),
        required=False,
        widget=TextInput(attrs={"type": "search", "autocomplete": "off", "placeholder": _("Find a user to add")}),
    )
