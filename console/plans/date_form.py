"""The form that gives a scheduled run another time."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from console.fields import TextField
from console.models import PlanRun
from console.plans import dates
from console.plans.dates import NotATime, When

_SECOND = (("first", _("The first time, before the clocks go back")), ("second", _("The second time")))


class DateForm(forms.Form):
    at = TextField(label=_("Date and time"), widget=forms.DateTimeInput(attrs={"type": "datetime-local"}))
    zone = TextField(label=_("Time zone"), max_length=64)
    which = forms.ChoiceField(required=False, choices=_SECOND, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, run: PlanRun) -> None:
        super().__init__(data, initial={"at": run.starts_local, "zone": run.zone})
        self.when_at: When | None = None

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        is_second = {"first": False, "second": True}.get(cleaned.get("which", ""))
        try:
            self.when_at = dates.when(cleaned.get("at", ""), cleaned.get("zone", ""), is_second=is_second)
        except NotATime as refusal:
            if refusal.is_ambiguous:
                self.fields["which"].label = _("This hour comes twice")
                self.fields["which"].widget = forms.RadioSelect(choices=_SECOND)
            self.add_error("which" if refusal.is_ambiguous else "at", str(refusal.reason))
        return cleaned
