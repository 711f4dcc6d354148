"""The form that starts a plan for one person: what the plan asks, when, and why."""

import json
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.access import OrgAccess
from console.actions.choices import other_populations
from console.actions.demands import ticket_policy_for
from console.actions.forms import ActionForm
from console.fields import TextField
from console.models import PlanRun, UserTemplate
from console.plans import dates
from console.plans.ahead import Choices, asked_of
from console.plans.dates import NotATime, When
from console.plans.definition import ActionStep, Condition, Definition
from console.plans.effects import Reading
from console.plans.preview import title_of
from console.plans.settled import NO_SOURCE, Source, asks_old_template, asks_templates, of_templates
from console.plans.targets import device_name
from pingone_integration.texts import Text

NOW, LATER = "now", "later"
LONGEST_FOR = timedelta(hours=24)  # of what a plan gives until a time
OLD, NEW = "old_template", "new_template"
_TEMPLATES: dict[str, Text] = {OLD: _("Template that they had"), NEW: _("Template that they get")}
_CHOOSE = _("Choose a template")
_SAME = _("Choose two different templates.")
_NO_TEMPLATES = _("There are no templates yet. An org admin makes them under Settings > Policies > Templates.")
_NONE = ("", _("None: leave this step out"))
_REPLACES = _("“{plan}” runs for them already. Replace it: it is canceled, and what it has done stays.")
_TOO_LONG = _("Choose a time within 24 hours after the start.")
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

    def __init__(
        self,
        data: Any = None,
        *,
        access: OrgAccess,
        definition: Definition,
        reading: Reading,
        other: PlanRun | None = None,
        source: Source = NO_SOURCE,
        initial: dict[str, Any] | None = None,
    ) -> None:
        """Set up the fields. `other`: the open run of this person. `source`: of what is settled without a choice."""
        actions = [step.of_catalogue for step in definition.steps if isinstance(step, ActionStep)]
        policies = [ticket_policy_for(access, action.key) for action in actions]
        policy = next((one for one in policies if one.is_required), policies[0] if policies else None)
        own = reading.user.timezone if dates.is_zone(reading.user.timezone) else timezone.get_current_timezone_name()
        super().__init__(data, policy=policy, initial={"zone": own} | (initial or {}))
        self.definition, self.other = definition, other
        self.when_at: When | None = None
        self.fields["reason"].required = any(action.limits_for(access).needs_reason for action in actions)
        self.fields["zone"].help_text = str(_zone_help(reading))
        self.source = source
        self._add_templates(access)
        for number, step, name in asked_of(definition):
            self.fields[f"step-{number}-{name}"] = _asked(access, step, name, reading)
        for number, one in definition.numbered():
            if one.condition is Condition.ASKED:
                self.fields[f"step-{number}-chosen"] = forms.BooleanField(label=str(title_of(one)), required=False)
        if other is None:
            del self.fields["replaces"]
        else:
            self.fields["replaces"].label = str(format_lazy(_REPLACES, plan=other.plan_name))
            self.fields["replaces"].required = True
        if not (data or {}).get("which"):
            self.fields["which"].widget = forms.HiddenInput()
        asked = [name for name in self.fields if name.startswith("step-")]
        self.order_fields([*_TEMPLATES, *asked, "replaces", "when", "at", "zone", "which", *self.COMMON])

    def _add_templates(self, access: OrgAccess) -> None:
        """Add the choice of templates, if the plan speaks of them."""
        if not asks_templates(self.definition):
            return
        every = UserTemplate.objects.filter(organization=access.org)
        for name, label in _TEMPLATES.items():
            if name != OLD or asks_old_template(self.definition):
                self.fields[name] = forms.ModelChoiceField(every, label=str(label), empty_label=str(_CHOOSE))
        if not every:
            self.fields[NEW].help_text = str(_NO_TEMPLATES)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        old, new = cleaned.get(OLD), cleaned.get(NEW)
        if new and (old or OLD not in self.fields):
            self.source = of_templates(old, new)
            if old == new:
                self.add_error(NEW, str(_SAME))
        if cleaned.get("when") == LATER:
            is_second = {"first": False, "second": True}.get(cleaned.get("which", ""))
            try:
                self.when_at = dates.when(cleaned.get("at", ""), cleaned.get("zone", ""), is_second=is_second)
            except NotATime as refusal:
                if refusal.is_ambiguous:
                    self.fields["which"].widget = forms.RadioSelect(choices=_SECOND)
                self.add_error("which" if refusal.is_ambiguous else "at", str(refusal.reason))
        begins = self.when_at.at if self.when_at else timezone.now()
        for name, value in list(cleaned.items()):
            if isinstance(value, datetime) and not begins < value <= begins + LONGEST_FOR:
                self.add_error(name, str(_TOO_LONG))
        return cleaned

    @property
    def choices(self) -> Choices:
        """Return what was chosen, by the number of the step."""
        found: dict[str, dict[str, Any]] = self.source.choices(self.definition)
        for name, value in self.cleaned_data.items():
            kind, _dash, rest = name.partition("-")
            number, _dash, of = rest.partition("-")
            if kind == "step" and value:
                found.setdefault(number, {})[of] = "on" if value is True else str(value)
        return found

    @property
    def confirmed_as(self) -> str:
        """Return the time and what is settled, as the page shows them, to see that nothing has changed since."""
        time = self.when_at.at.isoformat() if self.when_at else NOW
        if self.source is NO_SOURCE:
            return time
        settled = json.dumps(self.source.choices(self.definition), sort_keys=True)
        return f"{time} {sha256(settled.encode()).hexdigest()[:16]}"

    @property
    def button(self) -> Text:
        """Return the words of the confirming button."""
        name = self.definition.name
        if self.when_at is None:
            return format_lazy(_("{plan} now"), plan=name)
        return format_lazy(_("{plan} on {time}"), plan=name, time=self.when_at.told)


def _zone_help(reading: Reading) -> Text:
    if dates.is_zone(reading.user.timezone):
        return _("The user's own, as in PingOne.")
    return _("PingOne has no time zone of theirs. This is yours.")


def _asked(access: OrgAccess, step: ActionStep, name: str, reading: Reading) -> forms.Field:
    """Return the field for an input that is asked. Empty: the step is left out."""
    label = str(title_of(step))
    if name == "population_id":
        return forms.ChoiceField(label=label, required=False, choices=[_NONE, *other_populations(access, reading.user)])
    if name == "device_id":
        listed = [(str(one.id), device_name(one)) for one in reading.devices]
        return forms.ChoiceField(label=label, required=False, choices=[_NONE, *listed])
    asked = step.of_catalogue.form.base_fields.get(name)
    shown = f"{label}: {asked.label}" if asked and asked.label else label
    if isinstance(asked, forms.DateTimeField):
        return forms.DateTimeField(label=shown, required=False, widget=asked.widget, help_text=asked.help_text)
    return TextField(label=shown, required=False, max_length=1000)
