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
from console.models import Organization, PlanRun, UserTemplate
from console.page.zones import is_zone
from console.plans import dates
from console.plans.ahead import Choices, asked_of, chosen_steps, completed, date_waits
from console.plans.dates import When
from console.plans.definition import ActionStep, Condition, Definition
from console.plans.effects import Reading
from console.plans.ends import date_choice
from console.plans.preview import title_of
from console.plans.settled import NO_SOURCE, Source, asks_old_template, asks_templates, of_templates
from console.plans.targets import device_name
from console.plans.when_fields import shown_if_asked, time_field, time_in, which_field
from pingone_integration.texts import Text
from pingone_integration.typed.text import Kind
from pingone_integration.users import User

NOW, LATER = "now", "later"
LONGEST_FOR = timedelta(hours=24)  # of what a plan gives until a time
OLD, NEW = "old_template", "new_template"
TEMPLATES: dict[str, Text] = {OLD: _("Template that they had"), NEW: _("Template that they get")}
_CHOOSE = _("Choose a template")
_SAME = _("Choose two different templates.")
_NO_TEMPLATES = _("There are no templates yet. An org admin makes them under Settings > Policies > Templates.")
_NONE = ("", _("None: leave this step out"))
_REPLACES = _("“{plan}” runs for them already. Replace it: it is canceled, and what it has done stays.")
_TOO_LONG = _("Choose a time within 24 hours after the start.")
_ENDS_BEFORE = _("Choose a time after the start.")
_NOTHING_CHOSEN = _("Choose what the plan does: no step would run.")
_BUTTONS = {  # at a time, with an end
    (False, False): _("{plan} now"),
    (True, False): _("{plan} on {time}"),
    (False, True): _("{plan} now, until {end}"),
    (True, True): _("{plan} on {time}, until {end}"),
}
_CHANGED = _("The plan was changed meanwhile. This is how it is now. Look at it, and go on.")


class StartPlanForm(ActionForm):
    """Ticket and reason are kept with the run, for all of its steps."""

    when = forms.ChoiceField(
        label=_("When"), choices=[(NOW, _("Now")), (LATER, _("At a time"))], widget=forms.RadioSelect
    )
    at = time_field(_("Date and time"), required=False)
    zone = TextField(label=_("Time zone"), required=False, max_length=64)
    which = which_field()
    replaces = forms.BooleanField(required=False)
    shown = TextField(kind=Kind.ID, required=False, max_length=64, widget=forms.HiddenInput)  # digest of the plan

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
        own = dates.zone_of(reading.user, access.org)
        super().__init__(data, policy=policy, initial={"zone": own} | (initial or {}))
        self.definition, self.other = definition, other
        self.when_at: When | None = None
        self.ends: dict[int, When] = {}  # of waits until a date, by the number of the step
        self.fields["reason"].required = any(action.limits_for(access).needs_reason for action in actions)
        self.fields["zone"].help_text = str(_zone_help(reading.user, access.org))
        self.own_zone = own
        self.source = source
        self._add_templates(access)
        for number, step, name in asked_of(definition):
            self.fields[f"step-{number}-{name}"] = _asked(access, step, name, reading)
        for number in date_waits(definition):
            names = _names_of_end(number)
            self.fields[names["at"]], self.fields[names["which"]] = time_field(_("Until")), which_field()
            shown_if_asked(self, names["which"])
        for number, one in definition.numbered():
            if one.condition is Condition.ASKED:
                self.fields[f"step-{number}-chosen"] = forms.BooleanField(label=str(title_of(one)), required=False)
        self.initial["shown"] = digest(definition)
        if other is None:
            del self.fields["replaces"]
        else:
            self.fields["replaces"].label = str(format_lazy(_REPLACES, plan=other.plan_name))
            self.fields["replaces"].required = True
        shown_if_asked(self, "which")
        asked = [name for name in self.fields if name.startswith("step-")]
        ends = [name for name in asked if name.endswith(("-date", "-which"))]
        first = [*TEMPLATES, *(name for name in asked if name not in ends)]
        self.order_fields([*first, "replaces", "when", "at", "which", *ends, "zone", *self.COMMON])

    def _add_templates(self, access: OrgAccess) -> None:
        """Add the choice of templates, if the plan speaks of them."""
        if not asks_templates(self.definition):
            return
        every = UserTemplate.objects.filter(organization=access.org)
        for name, label in TEMPLATES.items():
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
            self.when_at = time_in(self)
        if cleaned.get("shown") not in {"", digest(self.definition)}:
            self.add_error(None, str(_CHANGED))
            self._renew_shown()
        begins = self.when_at.at if self.when_at else timezone.now()
        for name, value in list(cleaned.items()):
            if isinstance(value, datetime) and not begins < value <= begins + LONGEST_FOR:
                self.add_error(name, str(_TOO_LONG))
        for number in date_waits(self.definition):
            if cleaned.get(f"step-{number}-date") and (end := time_in(self, **_names_of_end(number))):
                self.ends[number] = end
                if end.at <= begins:
                    self.add_error(f"step-{number}-date", str(_ENDS_BEFORE))
        if not self.errors and not any(chosen_steps(self.definition, completed(self.definition, self.choices))):
            self.add_error(None, str(_NOTHING_CHOSEN))
        return cleaned

    def _renew_shown(self) -> None:
        """Let the page that is shown next stand for the plan as it is now."""
        data: Any = copy(self.data)  # the copy of a request's data is mutable
        data["shown"] = digest(self.definition)
        self.data = data

    @property
    def choices(self) -> Choices:
        """Return what was chosen, by the number of the step."""
        found: dict[str, dict[str, Any]] = self.source.choices(self.definition)
        for name, value in self.cleaned_data.items():
            kind, _dash, rest = name.partition("-")
            number, _dash, of = rest.partition("-")
            if kind == "step" and value and of not in {"date", "which"}:
                found.setdefault(number, {})[of] = "on" if value is True else str(value)
        return found | {str(number): date_choice(end) for number, end in self.ends.items()}

    @property
    def confirmed_as(self) -> str:
        """Return the times and what is settled, as the page shows them, to see that nothing has changed since."""
        begins = self.when_at.at.isoformat() if self.when_at else NOW
        shown = [begins, *(end.at.isoformat() for end in self.ends.values())]
        if self.source is not NO_SOURCE:
            settled = json.dumps(self.source.choices(self.definition), sort_keys=True)
            shown.append(sha256(settled.encode()).hexdigest()[:16])
        return " ".join(shown)

    @property
    def button(self) -> Text:
        """Return the words of the confirming button."""
        end = next(iter(self.ends.values()), None)
        words = _BUTTONS[self.when_at is not None, end is not None]
        times = {"time": self.when_at.told if self.when_at else "", "end": end.told if end else ""}
        return format_lazy(words, plan=self.definition.name, **times)


def digest(definition: Definition) -> str:
    """Return what stands for a plan as it was shown."""
    return sha256(json.dumps(definition.as_json(), sort_keys=True).encode()).hexdigest()


def _names_of_end(number: int) -> dict[str, str]:
    return {"at": f"step-{number}-date", "which": f"step-{number}-which"}


def _zone_help(person: User, organization: Organization) -> Text:
    if is_zone(person.timezone):
        return _("The user's own, as in PingOne.")
    if organization.time_zone:
        return _("PingOne has no time zone of theirs. This is the organization's.")
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
