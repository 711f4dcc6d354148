"""The form that starts a plan for somebody who does not exist yet."""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from console.access import OrgAccess
from console.fields import TextField
from console.models import UserTemplate
from console.plans.ahead import PASSWORD, Choices
from console.plans.definition import GROUPS, ActionStep, Condition, Definition
from console.plans.groups_to_give import Group
from console.plans.start_form import StartPlanForm
from pingone_integration.typed.text import Kind

BY_EMAIL, BY_HAND = "email", "hand"


class OnboardForm(StartPlanForm):
    """What is asked beside the profile, which was typed on the page before."""

    template = forms.ModelChoiceField(
        UserTemplate.objects.none(),
        label=_("Template"),
        required=False,
        empty_label=str(_("None")),
        help_text=_("Its groups are added, and its values fill the fields that you left empty."),
    )
    like = TextField(
        kind=Kind.ID,
        label=_("Same groups as a colleague"),
        required=False,
        max_length=256,
        help_text=_("Their username or email address. The groups that they are in directly are added."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}),
    )
    password = forms.ChoiceField(
        label=_("How they get their password"),
        choices=(
            (BY_EMAIL, _("They choose one: an email leads them to account recovery")),
            (BY_HAND, _("Someone gives them a temporary one: the plan waits until it is set on the user's page")),
        ),
        initial=BY_EMAIL,
        help_text=_("Can they read the mailbox before they have a password? If not, give them a temporary one."),
        widget=forms.RadioSelect,
    )

    def __init__(self, data: Any = None, *, access: OrgAccess, definition: Definition, **more: Any) -> None:
        super().__init__(data, access=access, definition=definition, **more)
        if not any(step.condition is Condition.CHOOSES_PASSWORD for step in definition.steps):
            del self.fields["password"]
        templates = UserTemplate.objects.filter(organization=access.org)
        if _steps_with_groups(definition):
            self.fields["template"].queryset = templates  # type: ignore[attr-defined]
        else:
            del self.fields["like"]
        if not _steps_with_groups(definition) or not templates:
            del self.fields["template"]
        self.order_fields(["template", "like", "password", *self.fields])

    def is_handed_over(self) -> bool:
        return "password" in self.fields and self["password"].value() == BY_HAND

    def choices_for(self, inputs: Mapping[str, Any], groups: list[Group]) -> Choices:
        """Return the choices of the run, with the profile and the groups as the page shows them."""
        found: dict[str, Mapping[str, Any]] = dict(self.choices) if self.is_bound else {}
        found["1"] = inputs
        for number in _steps_with_groups(self.definition):
            found[str(number)] = {"group_id": groups}
        if self.is_handed_over():
            found[PASSWORD] = {"given": "on"}
        return found

    def confirmed_with(self, choices: Choices) -> str:
        """Return what the confirming button stands for, to see that nothing has changed since it was shown."""
        shown = json.dumps(choices, sort_keys=True, default=str)
        return f"{self.confirmed_as} {sha256(shown.encode()).hexdigest()[:16]}"


def _steps_with_groups(definition: Definition) -> list[int]:
    return [
        number
        for number, step in definition.numbered()
        if isinstance(step, ActionStep) and GROUPS in step.inputs.values()
    ]
