"""The form of an invited person who has no account yet."""

from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.forms import CharField, Form, PasswordInput
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.fields import TextField
from console.models import Invitation, Operator
from console.operators.passwords import LEAST, OwnWords


class NewAccountForm(Form):
    name = TextField(label=_("Your name"), required=False, max_length=150)
    password1 = CharField(
        label=_("Password"),
        strip=False,
        widget=PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=format_lazy(_("At least {least} characters. Several words are easy to remember."), least=LEAST),
    )
    password2 = CharField(
        label=_("Password again"), strip=False, widget=PasswordInput(attrs={"autocomplete": "new-password"})
    )

    def __init__(self, data: Any = None, *, invitation: Invitation) -> None:
        super().__init__(data, initial={"name": invitation.name})
        self.invitation = invitation

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        chosen = cleaned.get("password1")
        if not chosen:
            return cleaned
        if cleaned.get("password2") and cleaned["password2"] != chosen:
            self.add_error("password2", _("The two passwords are not the same."))
        invited = Operator(email=self.invitation.email, name=cleaned.get("name", ""))
        try:
            validate_password(chosen, invited)
            OwnWords().validate(chosen, invited, joins=self.invitation.organization)
        except ValidationError as weak:
            self.add_error("password1", weak)
        return cleaned
