"""Forms to choose several groups at once."""

from typing import Any
from uuid import UUID

from django import forms

from console.actions.forms import ActionForm
from console.perform import MOST_AT_ONCE


class UuidsField(forms.Field):
    """Any number of IDs, as the checkboxes of a page send them."""

    widget = forms.MultipleHiddenInput

    def to_python(self, value: Any) -> list[UUID]:
        try:
            return list(dict.fromkeys(UUID(one) for one in value or []))
        except ValueError:
            raise forms.ValidationError("This is not a group.") from None


class JoinForm(ActionForm):
    """The groups to join. `confirmed` means the operator saw which of them carry administrator roles."""

    group_ids = UuidsField(error_messages={"required": "Choose at least one group."})
    confirmed = forms.BooleanField(required=False, widget=forms.HiddenInput)

    def clean_group_ids(self) -> list[UUID]:
        chosen: list[UUID] = self.cleaned_data["group_ids"]
        if len(chosen) > MOST_AT_ONCE:
            raise forms.ValidationError(f"Choose at most {MOST_AT_ONCE} groups at once.")
        return chosen


class GroupChoiceForm(forms.Form):
    """The search for groups by name, or for a user whose groups to copy. Every field is optional."""

    q = forms.CharField(required=False, max_length=256)
    like = forms.CharField(required=False, max_length=256)
    like_id = forms.UUIDField(required=False)
    group_ids = UuidsField(required=False)
