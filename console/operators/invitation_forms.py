"""The form of an invited person who has no account yet."""

from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.forms import CharField, Form, PasswordInput
from django.utils.translation import gettext_lazy as _

from console.fields import TextField
from console.models import Operator


class NewAccountForm(Form):
    name = TextField(label=_("Your name"), required=False, max_length=150)
    password1 = CharField(
        label=_("Password"), strip=False, widget=PasswordInput(attrs={"autocomplete": "new-password"})
    )
    password2 = CharField(
        label=_("Password again"), strip=False, widget=PasswordInput(attrs={"autocomplete": "new-password"})
    )

    def __init__(self, *args: Any, email: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self.email = email

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        chosen = cleaned.get("password1")
        if not chosen:
            return cleaned
        if cleaned.get("password2") and cleaned["password2"] != chosen:
            self.add_error("password2", _("The two passwords are not the same."))
        try:
            validate_password(chosen, Operator(email=self.email, name=cleaned.get("name", "")))
        except ValidationError as weak:
            self.add_error("password1", weak)
        return cleaned
