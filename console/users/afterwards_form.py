"""The follow-up of creating a user: groups to join, and an email that verifies the address."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django import forms

from console.access import OrgAccess
from console.actions.catalogue import BY_KEY
from console.perform import MOST_AT_ONCE, Step
from pingone_integration.groups import Group


class AfterwardsForm(forms.Form):
    """Separate actions after the user was created. Each field needs the permission for its action."""

    join = forms.TypedMultipleChoiceField(
        label="Groups to join", required=False, coerce=UUID, widget=forms.CheckboxSelectMultiple
    )
    verify = forms.BooleanField(label="Send a verification mail", required=False)

    def __init__(self, data: Any = None, *, access: OrgAccess, groups: Iterable[Group]) -> None:
        super().__init__(data)
        self.names = {group.id: group.name or str(group.id) for group in groups}
        join = self.fields["join"]
        join.choices = list(self.names.items())  # type: ignore[attr-defined]
        join.help_text = f"At most {MOST_AT_ONCE} here. All others can be joined on the user's page."
        if not self.names or not access.allows(BY_KEY["group.add"].permission):
            del self.fields["join"]
        if not access.allows(BY_KEY["user.verify-email"].permission):
            del self.fields["verify"]

    def clean_join(self) -> list[UUID]:
        chosen: list[UUID] = self.cleaned_data["join"]
        if len(chosen) > MOST_AT_ONCE:
            raise forms.ValidationError(f"Choose at most {MOST_AT_ONCE}.")
        return chosen

    def steps(self) -> list[Step]:
        add, verify = BY_KEY["group.add"], BY_KEY["user.verify-email"]
        joining = [
            Step(action=add, name=f"{add.label}: {self.names[group_id]}", inputs={"group_id": group_id})
            for group_id in self.cleaned_data.get("join", [])
        ]
        return joining + ([Step(action=verify, name=verify.label)] if self.cleaned_data.get("verify") else [])
