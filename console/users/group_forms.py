"""Forms to choose several groups at once."""

from typing import Any
from uuid import UUID

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.actions.forms import ActionForm
from console.fields import IdField, TextField
from console.perform.several import MOST_AT_ONCE


class UuidsField(forms.Field):
    """Any number of IDs, as the checkboxes of a page send them."""

    widget = forms.MultipleHiddenInput

    def to_python(self, value: Any) -> list[UUID]:
        try:
            return list(dict.fromkeys(UUID(one) for one in value or []))
        except ValueError:
            raise forms.ValidationError(_("This is not a group.")) from None


class JoinForm(ActionForm):
    """The groups to join. `confirmed` means the operator saw which of them carry administrator roles."""

    group_ids = UuidsField(error_messages={"required": _("Choose at least one group.")})
    confirmed = forms.BooleanField(required=False, widget=forms.HiddenInput)

    def clean_group_ids(self) -> list[UUID]:
        chosen: list[UUID] = self.cleaned_data["group_ids"]
        if len(chosen) > MOST_AT_ONCE:
            raise forms.ValidationError(format_lazy(_("Choose at most {most} groups at once."), most=MOST_AT_ONCE))
        return chosen


class GroupChoiceForm(forms.Form):
    """The search for groups by name, or for a user whose groups to copy. Every field is optional."""

    q = TextField(required=False, max_length=256)
    like = TextField(required=False)
    like_id = IdField(required=False)
    group_ids = UuidsField(required=False)
