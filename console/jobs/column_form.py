"""The form for the columns of a file: what each one means, and which of them says who is acted on."""

from collections.abc import Iterator, Sequence
from typing import Any

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.actions.action import Action
from console.jobs.files.columns import IGNORED, KEY_LABELS, Columns, Meaning, with_meanings
from console.jobs.files.reading import ListReading
from console.jobs.listed import KeyKind
from pingone_integration.typed.text import clean


class ColumnForm(forms.Form):
    """A choice for each column, filled with what was recognized by its heading."""

    def __init__(self, data: Any = None, *, reading: ListReading, meanings: Sequence[Meaning], action: Action) -> None:
        super().__init__(data)
        if reading.columns is None:
            raise ValueError("the file is not read yet")
        self.reading, self.read = reading, reading.columns
        choices = [(IGNORED, _("Not read")), *((meaning.name, meaning.label) for meaning in meanings)]
        if action.needs_user:
            self.fields["key"] = forms.ChoiceField(
                label=_("Users are found by"),
                choices=list(KEY_LABELS.items()),
                initial=reading.columns.key,
            )
        for place, column in enumerate(reading.columns.columns):
            label = column.heading or format_lazy(_("Column {place}"), place=place + 1)
            self.fields[f"column-{place}"] = forms.ChoiceField(
                label=label, choices=choices, initial=column.meaning, required=False
            )

    def columns_of(self, meanings: Sequence[Meaning]) -> Columns:
        """Return the columns as they were chosen."""
        chosen = [value for name, value in self.cleaned_data.items() if name.startswith("column-")]
        key = KeyKind(self.cleaned_data["key"]) if "key" in self.cleaned_data else None
        return with_meanings(self.read, chosen, meanings, key)

    def columns(self) -> Iterator[tuple[forms.BoundField, str]]:
        """Yield the field of each column, with its first values."""
        for place in range(len(self.fields) - ("key" in self.fields)):
            values = (clean(row[place]) for row in self.reading.sample if place < len(row))
            yield self[f"column-{place}"], ", ".join(value for value in values if value)[:200]
