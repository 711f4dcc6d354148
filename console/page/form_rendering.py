"""How every form looks: Tabler's classes on Django's own widgets, and each error at its field."""

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
    """Django ties help and errors to the input by aria-describedby; this adds the classes that show them."""

    @property
    def is_single_checkbox(self) -> bool:
        """Its label stands behind the box, not above it."""
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
        return attrs


class TablerRenderer(TemplatesSetting):
    """Widgets and fields come from templates/django/forms/, and where that has none from Django's own."""

    bound_field_class = TablerBoundField
