"""What an org admin sets for the whole organization: countries, time zone, link to tickets, cooling-off, sign-in."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.forms import Form, IntegerField, TextInput
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.fields import TextField
from console.models import Organization
from console.models.ticket_links import LONGEST_LINK, validate_ticket_link
from console.page.zones import zone_named
from pingone_integration.texts import Text
from pingone_integration.typed.text import Kind
from pingone_integration.user_search import is_country

_LONGEST_COOLING_OFF = 720  # hours: 30 days
_MOST_COUNTRIES = 10  # a search for a national number asks for each


def _shorter(label: Text, *, least: int, most: int) -> IntegerField:
    """Return the field of a time of sessions, which an organization can only shorten."""
    told = format_lazy(_("Enter a number from {least} to {most}."), least=least, most=most)
    return IntegerField(
        label=label,  # type: ignore[arg-type]  # a lazy text
        required=False,
        min_value=least,
        max_value=most,
        help_text=format_lazy(_("From {least} to {most}. Leave empty for {most}."), least=least, most=most),
        error_messages=dict.fromkeys(("invalid", "min_value", "max_value"), told),
    )


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
    time_zone = TextField(
        label=_("Time zone"),
        required=False,
        max_length=64,
        widget=TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=format_lazy(
            _("For plans, if PingOne has no time zone for the user. For example: {example}"), example="Europe/Stockholm"
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

    session_idle_minutes = _shorter(
        _("Minutes without use until members sign in again"),
        least=min(5, settings.SESSION_IDLE_MINUTES),
        most=settings.SESSION_IDLE_MINUTES,
    )
    session_hours = _shorter(_("Hours from sign-in until members sign in again"), least=1, most=settings.SESSION_HOURS)
    password_words = TextField(
        label=_("Words that passwords may not be made of"),
        required=False,
        max_length=500,
        widget=TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=_("Products, domains, places, separated by commas. The organization's name is refused anyway."),
    )

    def clean_time_zone(self) -> str:
        """Return the name as IANA writes it."""
        typed: str = self.cleaned_data["time_zone"]
        if typed and not zone_named(typed):
            told = _("“{zone}” is not a time zone. Enter a region and a city, for example Europe/Stockholm.")
            raise ValidationError(format_lazy(told, zone=typed))
        return zone_named(typed)

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
