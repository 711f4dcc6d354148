"""The look of every form: Tabler's classes on Django's own widgets, and each error at its field."""

from typing import Any

from django.forms import (
    BoundField,
    CheckboxInput,
    CheckboxSelectMultiple,
    HiddenInput,
    RadioSelect,
    Select,
    Widget,
)
from django.forms.renderers import TemplatesSetting


def _look_of(widget: Widget) -> str:
    if isinstance(widget, HiddenInput):
        return ""
    if isinstance(widget, CheckboxInput | RadioSelect | CheckboxSelectMultiple):
        return "form-check-input"
    return "form-select" if isinstance(widget, Select) else "form-control"


class TablerBoundField(BoundField):
    """A field with Tabler's classes. Django itself ties help and errors to the input by aria-describedby."""

    @property
    def is_single_checkbox(self) -> bool:
        """Return whether the field is one checkbox: its label stands after the box, not above it."""
        return isinstance(self.field.widget, CheckboxInput)

    @property
    def is_choice_list(self) -> bool:
        return isinstance(self.field.widget, RadioSelect | CheckboxSelectMultiple)

    def build_widget_attrs(self, attrs: dict[str, Any], widget: Widget | None = None) -> dict[str, Any]:
        widget = widget or self.field.widget
        attrs = super().build_widget_attrs(attrs, widget)
        classes = [
            attrs.get("class") or widget.attrs.get("class"),
            _look_of(widget),
            "is-invalid" if self.errors else "",
        ]
        if told := " ".join(str(name) for name in classes if name):
            attrs["class"] = told
        if self._is_first_mistake and not self.is_choice_list:  # a list would repeat it on each of its boxes
            attrs["autofocus"] = True
        return attrs

    @property
    def _is_first_mistake(self) -> bool:
        return bool(self.errors) and self.name == next(name for name in self.form.fields if name in self.form.errors)


class TablerRenderer(TemplatesSetting):
    """A renderer that uses templates/django/forms/, and Django's own templates for the rest."""

    bound_field_class = TablerBoundField
