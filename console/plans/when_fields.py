"""The fields of a time: local, in a zone, and which of two if the hour comes twice."""

from django import forms
from django.utils.translation import gettext_lazy as _

from console.fields import TextField
from console.plans import dates
from console.plans.dates import NotATime, When
from pingone_integration.texts import Text

_SECOND = (("first", _("The first time, before the clocks go back")), ("second", _("The second time")))


def time_field(label: Text, *, required: bool = True) -> TextField:
    widget = forms.DateTimeInput(attrs={"type": "datetime-local"})
    return TextField(label=label, required=required, widget=widget)


def which_field() -> forms.ChoiceField:
    """Return the field that is shown only when the hour comes twice."""
    label = _("This hour comes twice")
    return forms.ChoiceField(label=label, required=False, choices=_SECOND, widget=forms.HiddenInput)


def shown_if_asked(form: forms.Form, which: str) -> None:
    """Keep the question on the page once it was answered."""
    if form.data.get(which):
        form.fields[which].widget = forms.RadioSelect(choices=_SECOND)


def time_in(form: forms.Form, *, at: str = "at", zone: str = "zone", which: str = "which") -> When | None:
    """Return the time in these fields of a form that is being cleaned; None: its error is with the field."""
    typed = form.cleaned_data
    is_second = {"first": False, "second": True}.get(typed.get(which, ""))
    try:
        return dates.when(typed.get(at, ""), typed.get(zone, ""), is_second=is_second)
    except NotATime as refusal:
        if refusal.is_ambiguous:
            form.fields[which].widget = forms.RadioSelect(choices=_SECOND)
        form.add_error(which if refusal.is_ambiguous else at, str(refusal.reason))
        return None
