"""The form that gives a run another time: its start, or the end of a wait."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from console.fields import TextField
from console.plans.dates import When
from console.plans.when_fields import shown_if_asked, time_field, time_in, which_field


class DateForm(forms.Form):
    at = time_field(_("Date and time"))
    zone = TextField(label=_("Time zone"), max_length=64)
    which = which_field()

    def __init__(self, data: Any = None, *, local: str, zone: str) -> None:
        super().__init__(data, initial={"at": local, "zone": zone})
        shown_if_asked(self, "which")
        self.when_at: When | None = None

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        self.when_at = time_in(self)
        return cleaned
