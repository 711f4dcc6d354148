"""The forms at /recover/<org>/. A request brings a text, and never whom or what it is about."""

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from console.fields import TextField
from pingone_integration.passwords import is_encoded
from pingone_integration.typed.text import Kind

LONGEST_PASSWORD = 256


class AnyText(TextField):
    """Text of which only its absence is told."""

    def run_validators(self, value: Any) -> None:
        if value in self.empty_values:
            super().run_validators(value)


class WhoForm(forms.Form):
    """Username or email address. What cannot be one is not refused: every answer looks the same."""

    who = AnyText(
        kind=Kind.ADDRESS,
        label=_("Username or email address"),
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}),
        error_messages={"required": _("Enter your username or email address.")},
    )


class CodeForm(forms.Form):
    code = TextField(
        kind=Kind.ID,
        label=_("Code from the email"),
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "autocapitalize": "characters", "spellcheck": "false"}
        ),
        error_messages={"required": _("Enter the code from the email.")},
    )


class DeviceCodeForm(forms.Form):
    code = TextField(
        kind=Kind.ID,
        label=_("Code from the device"),
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "spellcheck": "false"}),
        error_messages={"required": _("Enter the code from the device.")},
    )

    def clean_code(self) -> str:
        return "".join(self.cleaned_data["code"].split())


class PasswordForm(forms.Form):
    new_password = forms.CharField(
        label=_("New password"),
        strip=False,
        max_length=LONGEST_PASSWORD,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        error_messages={"required": _("Enter a new password.")},
    )
    again = forms.CharField(
        label=_("New password once more"),
        strip=False,
        max_length=LONGEST_PASSWORD,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        error_messages={"required": _("Enter the new password once more.")},
    )

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        new_password, again = values.get("new_password"), values.get("again")
        if new_password and again and new_password != again:
            self.add_error("again", _("The two passwords are different."))
        if new_password and is_encoded(new_password):
            self.add_error("new_password", _("A password cannot begin with a word in braces. Choose another one."))
        return values


class AnswerForm(PasswordForm):
    """PingOne's code and the new password at once: nobody is told first whether the code is right."""

    code = CodeForm.base_fields["code"]
    field_order = ("code", "new_password", "again")


def only_value(sent: QueryDict, name: str) -> str | None:
    """Return the value, or None if the request has none, or several."""
    values = sent.getlist(name)
    return values[0] if len(values) == 1 else None
