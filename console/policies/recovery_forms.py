"""The forms of account recovery: the rules of one population, and what the pages tell every user."""

from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.fields import TextField
from console.models import RecoveryPolicy
from console.models.recovery import EMAIL, LONGEST_PHONE
from pingone_integration.schemas import Attribute
from pingone_integration.texts import Text
from pingone_integration.typed.text import Kind

RULES = (
    "is_on",
    "proof_attribute",
    "opens_with_lost_password",
    "accepts_unverified",
    "demands_device",
    "unlocks_account",
    "ends_sessions",
)
_LOCAL = frozenset({"localhost", "127.0.0.1"})


class RulesForm(forms.Form):
    """The rules of one population, each with the name of its column."""

    is_on = forms.BooleanField(
        label=_("Users of this population may recover their account by themselves"), required=False
    )
    proof_attribute = forms.ChoiceField(
        label=_("Where the code goes"),
        help_text=_(
            "Only org admins may change an attribute that is chosen here, and a changed address proves nothing."
        ),
    )
    opens_with_lost_password = forms.TypedChoiceField(
        label=_("Is this mailbox opened with the password people have lost?"),
        choices=[
            ("no", _("No. It has another password, or stays open on their phone.")),
            ("yes", _("Yes. Without the password they cannot read it.")),
        ],
        coerce=lambda answer: answer == "yes",
        empty_value=None,
        widget=forms.RadioSelect,
        required=False,
    )
    accepts_unverified = forms.BooleanField(
        label=_("Accept an email address that PingOne has not verified"),
        help_text=_("Whoever entered the address could then take over the account."),
        required=False,
    )
    demands_device = forms.BooleanField(
        label=_("Also ask for one of their MFA devices"),
        help_text=_(
            "A code by text message, call, WhatsApp, authenticator app or hardware token. Users without such a device "
            "have to call the helpdesk. Users without a password are always asked."
        ),
        required=False,
    )
    unlocks_account = forms.BooleanField(
        label=_("Also lift an account lock while the password is locked out"),
        help_text=_("Never a lock set by an operator or by “this was not me”."),
        required=False,
    )
    ends_sessions = forms.BooleanField(label=_("End all sessions after a new password"), required=False)

    def __init__(self, data: Any = None, *, policy: RecoveryPolicy, attributes: Iterable[Attribute] | None) -> None:
        super().__init__(data, initial=form_values(values_of(policy)))
        choice = self.fields["proof_attribute"]
        choice.choices = list(_addresses(policy, attributes))  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not cleaned.get("is_on"):
            return cleaned
        if cleaned.get("opens_with_lost_password") is None:
            self.add_error("opens_with_lost_password", _("Answer this before you switch recovery on."))
        elif cleaned["opens_with_lost_password"]:
            told = _(
                "Then nobody could read the code. Choose an attribute with a private address, or leave recovery off."
            )
            self.add_error("opens_with_lost_password", told)
        return cleaned


class SettingsForm(forms.Form):
    """What the pages are for every user, each with the name of its column."""

    helpdesk_phone = TextField(
        label=_("Helpdesk's phone number"),
        required=False,
        max_length=LONGEST_PHONE,
        help_text=_("For users who get no further by themselves."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "tel"}),
    )
    sign_in_url = TextField(
        kind=Kind.ID,
        label=_("Where users sign in"),
        required=False,
        max_length=500,
        help_text=_("The page says it at the end. For example: https://login.acme.test/"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "inputmode": "url"}),
    )

    uses_pingone_code = forms.BooleanField(
        label=_("Let PingOne send codes of its own"),
        required=False,
        help_text=_(
            "For a server without mail. Here a wrong code reaches PingOne, which locks a password after too many: so "
            "at most three per user and day are passed on. Who is locked out, has no password or needs a device gets "
            "no code, and codes go to the email address alone. For all populations, because the page is the same for "
            "everybody."
        ),
    )

    def clean_sign_in_url(self) -> str:
        typed: str = self.cleaned_data["sign_in_url"]
        if typed:
            URLValidator(schemes=["https", "http"], message=_("This is not a web address."))(typed)
            parts = urlsplit(typed)
            if parts.username is not None:
                raise ValidationError(_("Leave the username and password out of the address."))
            if parts.scheme != "https" and parts.hostname not in _LOCAL:
                raise ValidationError(_("Start the address with https://."))
        return typed


def _addresses(policy: RecoveryPolicy, attributes: Iterable[Attribute] | None) -> Iterator[tuple[str, Text]]:
    """Yield what may hold the address: email, or a text of the organization's own. The present choice stays."""
    fitting = {
        one.name: one.display_name
        for one in attributes or ()
        if one.is_custom and one.enabled and one.type == "STRING" and not one.multi_valued and not one.allowed_values
    }
    if policy.proof_attribute != EMAIL:
        fitting.setdefault(policy.proof_attribute, policy.proof_attribute)
    yield EMAIL, _("Email address")
    for name, shown in fitting.items():
        yield name, format_lazy(_("Private address: {attribute}"), attribute=shown)


def values_of(policy: RecoveryPolicy) -> dict[str, Any]:
    return {name: getattr(policy, name) for name in RULES}


def form_values(values: dict[str, Any]) -> dict[str, Any]:
    """Return the values as the form sends them."""
    answer = values["opens_with_lost_password"]
    return values | {"opens_with_lost_password": None if answer is None else "yes" if answer else "no"}
