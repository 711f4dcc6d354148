"""The form that starts a job: why, how many rows first, and that the number of people is right."""

from typing import Any

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.access import OrgAccess
from console.actions.action import Action
from console.actions.demands import ticket_policy_for
from console.actions.forms import ActionForm
from console.actions.limits import NO_LIMITS
from console.jobs.plan_action import keys_of

_CUT = _("The last line of the file has no end, so the file may be cut off. Type how many rows it should have.")


class StartJobForm(ActionForm):
    """Ticket and reason as for one user. They are kept with the job, for all of its rows."""

    first_rows = forms.IntegerField(
        label=_("Try the first rows"),
        required=False,
        min_value=1,
        help_text=_("So many rows run, and then the job pauses. Empty: all rows."),
    )
    people = forms.IntegerField(label=_("Number of rows in the file"), min_value=0)

    def __init__(
        self, data: Any = None, *, access: OrgAccess, action: Action, counted: int | None, **more: Any
    ) -> None:
        """Set up the fields. `counted` are the rows of a file that may be cut off: they have to be confirmed."""
        limits = action.limits_for(access)
        policies = [ticket_policy_for(access, key) for key in keys_of(action)]
        policy = next((one for one in policies if one.is_required), policies[0] if policies else None)
        super().__init__(data, policy=policy, limits=NO_LIMITS, **more)
        self.fields["reason"].required = limits.needs_reason
        self.counted = counted
        if counted is None:
            del self.fields["people"]
        else:
            told = _(
                "The last line of the file has no end, so the file may be cut off. Type how many rows it should have."
            )
            self.fields["people"].help_text = told

    def clean_people(self) -> int:
        people = int(self.cleaned_data["people"])
        if people != self.counted:
            told = _("The file has {count} rows here. If it should have more, upload it again.")
            raise forms.ValidationError(str(format_lazy(told, count=self.counted)))
        return people
