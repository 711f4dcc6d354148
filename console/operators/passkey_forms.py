"""allauth's passkey forms, with a credential field that survives hostile JSON."""

from typing import Any

from allauth.mfa.webauthn import forms as webauthn
from django import forms
from django.utils.translation import gettext_lazy as _

from console.fields import TextField

LONGEST = 100_000  # characters; a credential has a few thousand


class CredentialField(forms.JSONField):
    """A credential as JSON. Text that Python cannot parse is an invalid credential, not an internal error."""

    def to_python(self, value: Any) -> Any:
        try:
            found = super().to_python(value) if len(value or "") <= LONGEST else None
        except (RecursionError, ValueError):  # nested too deeply, or an integer of more than 4300 digits
            found = None
        if not isinstance(found, dict) or not found.keys() >= {"id", "rawId", "response", "type"}:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid", params={"value": "…"})
        return found


class AddForm(webauthn.AddWebAuthnForm):  # type: ignore[misc]
    name = TextField(label=_("Name"), required=False)
    credential = CredentialField(widget=forms.HiddenInput)
    passwordless = forms.BooleanField(
        label=_("Sign in with this key alone"),
        required=False,
        help_text=_("Without your password. The key then checks your fingerprint, your face or a PIN."),
    )


class AuthenticateForm(webauthn.AuthenticateWebAuthnForm):  # type: ignore[misc]
    credential = CredentialField(widget=forms.HiddenInput)


class LoginForm(webauthn.LoginWebAuthnForm):  # type: ignore[misc]
    credential = CredentialField(widget=forms.HiddenInput)


class ReauthenticateForm(webauthn.ReauthenticateWebAuthnForm):  # type: ignore[misc]
    credential = CredentialField(widget=forms.HiddenInput)
