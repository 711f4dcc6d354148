"""The forms of policies."""

from django import forms
from django.utils.translation import gettext_lazy as _

from console.fields import MultilineField, TextField
from console.models.roles import LONGEST_ROLE


class RoleNameForm(forms.Form):
    """The name of a role."""

    name = TextField(label=_("Name"), max_length=LONGEST_ROLE, widget=forms.TextInput(attrs={"autocomplete": "off"}))


class LockDownForm(forms.Form):
    """The reason for a lock down, or for its end."""

    reason = MultilineField(
        label=_("Reason"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Agents see it wherever an action is stopped."),
    )
