"""What a plan asks once for all users of a job: its questions, and now or at a time, without a default."""

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from console.access import OrgAccess
from console.actions.choices import groups_to_join, populations_to_choose
from console.fields import TextField
from console.page.zones import is_zone
from console.plans.ahead import Choices, asked_of, chosen_steps, completed, date_waits
from console.plans.dates import When
from console.plans.definition import ActionStep, Condition, Definition
from console.plans.ends import date_choice
from console.plans.preview import title_of
from console.plans.start_form import LATER, NOW
from console.plans.when_fields import shown_if_asked, time_field, time_in, which_field
from pingone_integration.texts import Text

_NONE = ("", _("None: leave this step out"))
_OPTIONS = {"population_id": populations_to_choose, "group_id": groups_to_join}
_NOTHING_CHOSEN = _("Choose what the plan does: no step would run.")
_ENDS_BEFORE = _("Choose a time after the start.")


class PlanForManyForm(forms.Form):
    """One moment for all, in the zone that is entered."""

    when = forms.ChoiceField(
        label=_("When"), choices=[(NOW, _("Now, when the job runs")), (LATER, _("At a time"))], widget=forms.RadioSelect
    )
    at = time_field(_("Date and time"), required=False)
    which = which_field()
    zone = TextField(label=_("Time zone"), required=False, max_length=64, help_text=_("The same moment for all."))
    replaces = forms.BooleanField(
        label=_("Replace plans that run for them already"),
        required=False,
        help_text=_("They are canceled, and what they have done stays. Otherwise these users are left out."),
    )

    def __init__(self, data: QueryDict | None, *, access: OrgAccess, definition: Definition) -> None:
        own = access.org.time_zone
        zone = own if is_zone(own) else timezone.get_current_timezone_name()
        super().__init__(data, initial={"zone": zone})
        self.definition = definition
        self.when_at: When | None = None
        self.ends: dict[int, When] = {}
        for number, step, name in asked_of(definition):
            self.fields[f"step-{number}-{name}"] = _asked(access, step, name)
        for number, one in definition.numbered():
            if one.condition is Condition.ASKED:
                self.fields[f"step-{number}-chosen"] = forms.BooleanField(label=str(title_of(one)), required=False)
        for number in date_waits(definition):
            self.fields[f"end-{number}"], self.fields[f"end-which-{number}"] = time_field(_("Until")), which_field()
            shown_if_asked(self, f"end-which-{number}")
        shown_if_asked(self, "which")
        first = [name for name in self.fields if name.startswith("step-")]
        ends = [name for name in self.fields if name.startswith("end-")]
        self.order_fields([*first, "when", "at", "which", *ends, "zone", "replaces"])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("when") == LATER:
            self.when_at = time_in(self)
        begins = self.when_at.at if self.when_at else timezone.now()
        for number in date_waits(self.definition):
            names = {"at": f"end-{number}", "which": f"end-which-{number}"}
            if cleaned.get(names["at"]) and (end := time_in(self, **names)):
                self.ends[number] = end
                if end.at <= begins:
                    self.add_error(names["at"], str(_ENDS_BEFORE))
        if not self.errors and not any(chosen_steps(self.definition, completed(self.definition, self.choices))):
            self.add_error(None, str(_NOTHING_CHOSEN))
        return cleaned

    @property
    def choices(self) -> Choices:
        """Return what was chosen, by the number of the step."""
        found: dict[str, dict[str, str]] = {}
        for name, value in self.cleaned_data.items():
            kind, _dash, rest = name.partition("-")
            number, _dash, of = rest.partition("-")
            if kind == "step" and value:
                found.setdefault(number, {})[of] = "on" if value is True else str(value)
        return found | {str(number): date_choice(end) for number, end in self.ends.items()}

    def inputs(self) -> dict[str, Any]:
        """Return what the job keeps with its plan."""
        when = date_choice(self.when_at) if self.when_at else None
        return {"choices": self.choices, "when": when, "replaces": self.cleaned_data["replaces"]}


def _asked(access: OrgAccess, step: ActionStep, name: str) -> forms.Field:
    """Return the field for an input that is asked. Empty: the step is left out."""
    label = title_of(step)
    if name in _OPTIONS:
        return forms.ChoiceField(label=str(label), required=False, choices=[_NONE, *_OPTIONS[name](access, None)])
    asked = step.of_catalogue.form.base_fields.get(name)
    told: Text = f"{label}: {asked.label}" if asked and asked.label else label
    return TextField(label=str(told), required=False, max_length=1000)
