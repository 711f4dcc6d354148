"""The follow-up of creating a user: groups to join, and an email that verifies the address."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.access import OrgAccess
from console.actions.catalogue import BY_KEY
from console.actions.outcome import Result, Unknown
from console.perform.several import MOST_AT_ONCE, Step
from pingone_integration.groups import Group
from pingone_integration.texts import Text


@dataclass(frozen=True, kw_only=True)
class FollowUp:
    """One action after the creation, and its notices."""

    step: Step
    done: Text
    failed: Text
    unknown: Text  # PingOne's answer was lost

    def not_done(self, result: Result | None) -> Text:
        return self.unknown if isinstance(result, Unknown) else self.failed


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
        if not self.names or not access.allows(BY_KEY["group.add"].permission):
            del self.fields["join"]
        if not access.allows(BY_KEY["user.verify-email"].permission):
            del self.fields["verify"]

    def clean_join(self) -> list[UUID]:
        chosen: list[UUID] = self.cleaned_data["join"]
        if len(chosen) > MOST_AT_ONCE:
            raise forms.ValidationError(format_lazy(_("Choose at most {most} groups at once."), most=MOST_AT_ONCE))
        return chosen

    def follow_ups(self, user: str) -> list[FollowUp]:
        """Return the chosen actions, groups first. `user` is the name of the new user, for the notices."""
        joining = [self._joining(group_id, user) for group_id in self.cleaned_data.get("join", [])]
        if not self.cleaned_data.get("verify"):
            return joining
        verify = BY_KEY["user.verify-email"]
        verifying = FollowUp(
            step=Step(action=verify, name=verify.label),
            done=format_lazy(_("Sent a verification email to {user}."), user=user),
            failed=format_lazy(_("Could not send a verification email to {user}."), user=user),
            unknown=format_lazy(_("We do not know whether a verification email was sent to {user}."), user=user),
        )
        return [*joining, verifying]

    def _joining(self, group_id: UUID, user: str) -> FollowUp:
        group = self.names[group_id]
        return FollowUp(
            step=Step(action=BY_KEY["group.add"], name=group, inputs={"group_id": group_id}),
            done=format_lazy(_("Added {user} to {group}."), user=user, group=group),
            failed=format_lazy(_("Could not add {user} to {group}."), user=user, group=group),
            unknown=format_lazy(_("We do not know whether {user} was added to {group}."), user=user, group=group),
        )
