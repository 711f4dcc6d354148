"""The form that switches a rule on: for whom, and why."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from console.access import OrgAccess
from console.actions.demands import ticket_policy_for
from console.actions.forms import ActionForm
from console.actions.limits import NO_LIMITS
from console.rules.effects import GIVE


class SwitchOnForm(ActionForm):
    """Ticket and reason as for one user. They are kept with the rule, for all that it does."""

    WHO_COMES, EVERYBODY = "who-comes", "everybody"

    scope = forms.ChoiceField(
        label=_("For whom"),
        choices=[
            (WHO_COMES, _("Only who comes from now on")),
            (EVERYBODY, _("Also everybody who is there now")),
        ],
        widget=forms.RadioSelect,
    )

    def __init__(self, data: Any = None, *, access: OrgAccess) -> None:
        super().__init__(data, policy=ticket_policy_for(access, GIVE.key), limits=NO_LIMITS)
        self.fields["reason"].required = GIVE.limits_for(access).needs_reason
