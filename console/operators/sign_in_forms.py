"""allauth's forms to sign in with pasted text: an address from a mail, a code from another window."""

from typing import Any

from allauth.account import forms as account
from allauth.account.adapter import get_adapter
from allauth.mfa.base import forms as mfa
from allauth.mfa.totp import forms as totp
from allauth.mfa.webauthn import forms as webauthn
from django.forms import TextInput
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from console.fields import EmailField, TextField
from console.operators.sign_in_limits import SecondFactorLimit
from console.operators.sign_ins import password_reset_requested
from pingone_integration.typed.text import Kind


def _code_field(field: Any) -> TextField:
    return TextField(kind=Kind.CODE, label=field.label, widget=field.widget)


class _OwnEmailField(EmailField):
    """The address of an operator's account, in lower case as allauth has it."""

    def clean(self, value: Any) -> str:
        return str(super().clean(value)).lower()


def _email_field(field: Any) -> EmailField:
    widget = TextInput(attrs={**field.widget.attrs, **EmailField.widget.attrs, "type": "text"})
    return _OwnEmailField(label=field.label, widget=widget)


class LoginForm(account.LoginForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["login"] = _email_field(self.fields["login"])


class ResetPasswordForm(account.ResetPasswordForm):  # type: ignore[misc]
    email = _email_field(account.ResetPasswordForm.base_fields["email"])

    def save(self, request: HttpRequest, **options: Any) -> str:
        password_reset_requested(request, self.cleaned_data["email"])
        if not self.users:
            get_adapter().pretend_to_send_link(self.cleaned_data["email"])
        return str(super().save(request, **options))


class ChangePasswordForm(account.ChangePasswordForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["oldpassword"].label = _("Current password")
        _label(self.fields)


class ResetPasswordKeyForm(account.ResetPasswordKeyForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        _label(self.fields)


def _label(fields: dict[str, Any]) -> None:
    fields["password1"].label, fields["password2"].label = _("New password"), _("New password again")


class ActivateTOTPForm(SecondFactorLimit, totp.ActivateTOTPForm):  # type: ignore[misc]
    too_many = "rate_limited"
    code = _code_field(totp.ActivateTOTPForm.base_fields["code"])


class AuthenticateForm(SecondFactorLimit, mfa.AuthenticateForm):  # type: ignore[misc]
    code = _code_field(mfa.AuthenticateForm.base_fields["code"])

    def _used_before(self) -> None:
        self._emit_authentication_failed(self.authenticator)


class ReauthenticateForm(SecondFactorLimit, mfa.ReauthenticateForm):  # type: ignore[misc]
    code = _code_field(mfa.ReauthenticateForm.base_fields["code"])

    def _used_before(self) -> None:
        self._emit_authentication_failed(self.authenticator)


class EditPasskeyForm(webauthn.EditWebAuthnForm):  # type: ignore[misc]
    name = TextField()
