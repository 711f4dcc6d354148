"""What an org admin sets for the whole organization: countries, the link to tickets, the cooling-off of contacts."""

from typing import Any

from django.core.exceptions import ValidationError
from django.forms import Form, IntegerField, TextInput
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.fields import TextField
from console.models import Organization
from console.models.ticket_links import LONGEST_LINK, validate_ticket_link
from pingone_integration.typed.text import Kind
from pingone_integration.user_search import is_country

_LONGEST_COOLING_OFF = 720  # hours: 30 days
_MOST_COUNTRIES = 10  # a search for a national number asks for each


class OrganizationSettingsForm(Form):
    """The settings of an organization, each with the name of its column."""

    countries = TextField(
        label=_("Countries of phone numbers"),
        required=False,
        max_length=100,
        widget=TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=format_lazy(
            _("To find phone numbers typed without a country code. Two letters each, for example: {example}"),
            example="SE NO",
        ),
    )
    ticket_link = TextField(
        kind=Kind.ID,
        label=_("Link to a ticket"),
        required=False,
        max_length=LONGEST_LINK,
        validators=[validate_ticket_link],
        widget=TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "inputmode": "url"}),
        help_text=format_lazy(
            _("Tickets on users' pages and in the audit log lead there. For example: {example}"),
            example="https://jira.acme.test/browse/{ticket}",
        ),
    )

    cooling_off_hours = IntegerField(
        label=_("Hours until a changed email address can receive a recovery code"),
        required=False,
        min_value=1,
        max_value=_LONGEST_COOLING_OFF,
        help_text=_("After an operator changed the address here. Until then, only org admins send codes to it."),
        error_messages=dict.fromkeys(
            ("invalid", "min_value", "max_value"),
            format_lazy(_("Enter a number from 1 to {most}."), most=_LONGEST_COOLING_OFF),
        ),
    )

    def clean_cooling_off_hours(self) -> int:
        """Return the number, as it was if none is sent."""
        return int(self.cleaned_data["cooling_off_hours"] or self.initial["cooling_off_hours"])

    def clean_countries(self) -> str:
        """Return the codes in capitals, separated by spaces."""
        typed: str = self.cleaned_data["countries"]
        codes = list(dict.fromkeys(typed.upper().replace(",", " ").replace(";", " ").split()))
        if unknown := [code for code in codes if not is_country(code)]:
            told = _("“{code}” is not a country code. Use two letters, for example SE.")
            raise ValidationError(format_lazy(told, code=unknown[0]))
        if len(codes) > _MOST_COUNTRIES:
            raise ValidationError(format_lazy(_("Enter at most {most} countries."), most=_MOST_COUNTRIES))
        return " ".join(codes)


def values_of(organization: Organization) -> dict[str, Any]:
    return {name: getattr(organization, name) for name in OrganizationSettingsForm.base_fields}
