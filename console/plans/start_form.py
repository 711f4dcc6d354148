"""The form that starts a plan for one person: what the plan asks, when, and why."""

import json
from copy import copy
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.access import OrgAccess
from console.actions.choices import groups_to_join, other_populations
from console.actions.demands import ticket_policy_for
from console.actions.forms import ActionForm
from console.fields import TextField
from console.models import PlanRun
from console.plans import dates
from console.plans.ahead import Choices, asked_of
from console.plans.dates import NotATime, When
from console.plans.definition import ActionStep, Condition, Definition
from console.plans.preview import Reading, title_of
from console.plans.targets import device_name
from pingone_integration.texts import Text

NOW, LATER = "now", "later"
LONGEST_FOR = timedelta(hours=24)  # of what a plan gives until a time
_NONE = ("", _("None: leave this step out"))
_REPLACES = _("“{plan}” runs for them already. Replace it: it is canceled, and what it has done stays.")
_TOO_LONG = _("Choose a time within 24 hours after the start.")
_CHANGED = _("The plan was changed meanwhile. This is how it is now. Look at it, and go on.")
_SECOND = (("first", _("The first time, before the clocks go back")), ("second", _("The second time")))


class StartPlanForm(ActionForm):
    """Ticket and reason are kept with the run, for all of its steps."""

    when = forms.ChoiceField(
        label=_("When"), choices=[(NOW, _("Now")), (LATER, _("At a time"))], widget=forms.RadioSelect
    )
    at = TextField(
        label=_("Date and time"), required=False, widget=forms.DateTimeInput(attrs={"type": "datetime-local"})
    )
    zone = TextField(label=_("Time zone"), required=False, max_length=64)
    which = forms.ChoiceField(
        label=_("This hour comes twice"), required=False, choices=_SECOND, widget=forms.RadioSelect
    )
    replaces = forms.BooleanField(required=False)
    shown = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)  # the plan on the page, as digest

    def __init__(
        self,
        data: Any = None,
        *,
        access: OrgAccess,
        definition: Definition,
        reading: Reading,
        other: PlanRun | None = None,
        initial: dict[str, Any] | None = None,
    ) -> None:
        """Set up the fields. `other`: the open run of this person."""
        actions = [step.of_catalogue for step in definition.steps if isinstance(step, ActionStep)]
        policies = [ticket_policy_for(access, action.key) for action in actions]
        policy = next((one for one in policies if one.is_required), policies[0] if policies else None)
        own = reading.user.timezone if dates.is_zone(reading.user.timezone) else timezone.get_current_timezone_name()
        super().__init__(data, policy=policy, initial={"zone": own} | (initial or {}))
        self.definition, self.other = definition, other
        self.when_at: When | None = None
        self.fields["reason"].required = any(action.limits_for(access).needs_reason for action in actions)
        self.fields["zone"].help_text = str(_zone_help(reading))
        for number, step, name in asked_of(definition):
            self.fields[f"step-{number}-{name}"] = _asked(access, step, name, reading)
        for number, one in definition.numbered():
            if one.condition is Condition.ASKED:
                self.fields[f"step-{number}-chosen"] = forms.BooleanField(label=str(title_of(one)), required=False)
        self.initial["shown"] = digest(definition)
        if other is None:
            del self.fields["replaces"]
        else:
            self.fields["replaces"].label = str(format_lazy(_REPLACES, plan=other.plan_name))
            self.fields["replaces"].required = True
        if not (data or {}).get("which"):
            self.fields["which"].widget = forms.HiddenInput()
        asked = [name for name in self.fields if name.startswith("step-")]
        self.order_fields([*asked, "replaces", "when", "at", "zone", "which", *self.COMMON])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("when") == LATER:
            is_second = {"first": False, "second": True}.get(cleaned.get("which", ""))
            try:
                self.when_at = dates.when(cleaned.get("at", ""), cleaned.get("zone", ""), is_second=is_second)
            except NotATime as refusal:
                if refusal.is_ambiguous:
                    self.fields["which"].widget = forms.RadioSelect(choices=_SECOND)
                self.add_error("which" if refusal.is_ambiguous else "at", str(refusal.reason))
        if cleaned.get("shown") not in {"", digest(self.definition)}:
            self.add_error(None, str(_CHANGED))
            self._renew_shown()
        begins = self.when_at.at if self.when_at else timezone.now()
        for name, value in list(cleaned.items()):
            if isinstance(value, datetime) and not begins < value <= begins + LONGEST_FOR:
                self.add_error(name, str(_TOO_LONG))
        return cleaned

    def _renew_shown(self) -> None:
        """Let the page that is shown next stand for the plan as it is now."""
        data: Any = copy(self.data)  # the copy of a request's data is mutable
        data["shown"] = digest(self.definition)
        self.data = data

    @property
    def choices(self) -> Choices:
        """Return what was chosen, by the number of the step."""
        found: dict[str, dict[str, str]] = {}
        for name, value in self.cleaned_data.items():
            kind, _dash, rest = name.partition("-")
            number, _dash, of = rest.partition("-")
            if kind == "step" and value:
                found.setdefault(number, {})[of] = "on" if value is True else str(value)
        return found

    @property
    def confirmed_as(self) -> str:
        """Return the time as the confirming button says it, to see that nothing has changed since."""
        return self.when_at.at.isoformat() if self.when_at else NOW

    @property
    def button(self) -> Text:
        """Return the words of the confirming button."""
        name = self.definition.name
        if self.when_at is None:
            return format_lazy(_("{plan} now"), plan=name)
        return format_lazy(_("{plan} on {time}"), plan=name, time=self.when_at.told)


def digest(definition: Definition) -> str:
    """Return what stands for a plan as it was shown."""
    return sha256(json.dumps(definition.as_json(), sort_keys=True).encode()).hexdigest()


def _zone_help(reading: Reading) -> Text:
    if dates.is_zone(reading.user.timezone):
        return _("The user's own, as in PingOne.")
    return _("PingOne has no time zone of theirs. This is yours.")


def _asked(access: OrgAccess, step: ActionStep, name: str, reading: Reading) -> forms.Field:
    """Return the field for an input that is asked. Empty: the step is left out."""
    label = str(title_of(step))
    if name == "population_id":
        return forms.ChoiceField(label=label, required=False, choices=[_NONE, *other_populations(access, reading.user)])
    if name == "group_id":
        is_removed = step.action == "group.remove"
        own = [(str(one.group_id), one.name or str(one.group_id)) for one in reading.memberships if one.is_direct]
        groups = own if is_removed else groups_to_join(access, reading.user)
        return forms.ChoiceField(label=label, required=False, choices=[_NONE, *groups])
    if name == "device_id":
        listed = [(str(one.id), device_name(one)) for one in reading.devices]
        return forms.ChoiceField(label=label, required=False, choices=[_NONE, *listed])
    asked = step.of_catalogue.form.base_fields.get(name)
    shown = f"{label}: {asked.label}" if asked and asked.label else label
    if isinstance(asked, forms.DateTimeField):
        return forms.DateTimeField(label=shown, required=False, widget=asked.widget, help_text=asked.help_text)
    return TextField(label=shown, required=False, max_length=1000)
