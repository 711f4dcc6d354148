"""The follow-up of creating a user: groups to join, and an email that verifies the address."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.access import OrgAccess
from console.actions.catalogue import BY_KEY
from console.actions.step import Step
from console.perform.several import MOST_AT_ONCE
from pingone_integration.groups import Group


class AfterwardsForm(forms.Form):
    """Separate actions after the user was created. Each field needs the permission for its action."""

    join = forms.TypedMultipleChoiceField(
        label=_("Groups to join"), required=False, coerce=UUID, widget=forms.CheckboxSelectMultiple
    )
    verify = forms.BooleanField(label=_("Send a verification email"), required=False)

    def __init__(self, data: Any = None, *, access: OrgAccess, groups: Iterable[Group]) -> None:
        super().__init__(data)
        self.names = {group.id: group.name or str(group.id) for group in groups}
        join = self.fields["join"]
        join.choices = list(self.names.items())  # type: ignore[attr-defined]
        join.help_text = format_lazy(_("Up to {most} groups. You can add more on the user's page."), most=MOST_AT_ONCE)
        if not self.names or not access.may(BY_KEY["group.add"]):
            del self.fields["join"]
        if not access.may(BY_KEY["user.verify-email"]):
            del self.fields["verify"]

    def clean_join(self) -> list[UUID]:
        chosen: list[UUID] = self.cleaned_data["join"]
        if len(chosen) > MOST_AT_ONCE:
            raise forms.ValidationError(format_lazy(_("Choose at most {most} groups at once."), most=MOST_AT_ONCE))
        return chosen

    def steps(self) -> list[Step]:
        """Return the chosen actions, groups first."""
        joining = [
            Step(action=BY_KEY["group.add"], inputs={"group_id": group_id}, names={"group": self.names[group_id]})
            for group_id in self.cleaned_data.get("join", [])
        ]
        return [*joining, *([Step(action=BY_KEY["user.verify-email"])] if self.cleaned_data.get("verify") else [])]
