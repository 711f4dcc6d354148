"""The custom attributes of an environment's users, as form fields.

Only PingOne checks a value against an attribute's pattern. The pattern is a foreign regular expression in another
dialect, and could keep this server busy for long (ReDoS).
"""

import json
from collections.abc import Iterable
from typing import Any, NoReturn, cast

from django import forms
from django.forms.fields import InvalidJSONInput
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.fields import MultilineField, TextField
from pingone_integration.profiles import ATTRIBUTES
from pingone_integration.schemas import Attribute
from pingone_integration.texts import Text
from pingone_integration.typed.text import Kind, clean

LONGEST = 16_000  # characters; PingOne limits a profile to 16 kB
_OFFERED = frozenset({"STRING", "BOOLEAN", "JSON"})


def field_name(attribute: str) -> str:
    """Return a custom attribute's field name, distinct from standard attributes and form fields: `reason`, `region`."""
    return f"custom.{attribute}"


def custom_fields(attributes: Iterable[Attribute]) -> dict[str, forms.Field]:
    """Return the fields, sorted by display name. Attributes that are COMPLEX or not `enabled` get no field."""
    offered = [one for one in attributes if one.is_custom and one.enabled and one.type in _OFFERED]
    return {
        field_name(one.name): _field_of(one) for one in sorted(offered, key=lambda one: one.display_name.casefold())
    }


def apply_schema(fields: dict[str, forms.Field], attributes: Iterable[Attribute]) -> None:
    """Remove the standard attributes that are not `enabled` in the environment, and mark the required attributes."""
    schema = {attribute.name: attribute for attribute in attributes if not attribute.is_custom}
    for name, path in ATTRIBUTES.items():
        outer, _, inner = path.partition(".")
        if name not in fields or outer not in schema:
            continue
        if not schema[outer].enabled:
            del fields[name]
        elif schema[outer].required and not inner:
            fields[name].required = True


def can_edit(field: forms.Field, value: Any) -> bool:
    """Return whether the field gives a stored value back unchanged: the value may be older than the schema."""
    if value in ("", None, []) or isinstance(field, JsonField):
        return True
    if isinstance(field, LinesField | forms.MultipleChoiceField):
        return isinstance(value, list) and all(isinstance(one, str) and [one] == one.split("\n") for one in value)
    return isinstance(value, bool if isinstance(field, YesNoField) else str)


def keep_current_value(field: forms.Field, value: Any) -> None:
    """Offer the user's value even if the schema no longer does, so that saving does not remove it."""
    if isinstance(value, str) and "\n" in value and not isinstance(field, forms.ChoiceField):
        field.widget = forms.Textarea(attrs={"rows": 3})
        cast("TextField", field).kind = Kind.LINES
    if isinstance(field, forms.ChoiceField) and not isinstance(field, YesNoField) and value:
        listed = value if isinstance(value, list) else [value]
        offered = list(cast("list[tuple[str, Text]]", field.choices))
        archived: list[tuple[str, Text]] = [
            (str(one), format_lazy(_("{value} (archived)"), value=one))
            for one in listed
            if str(one) not in dict(offered)
        ]
        field.choices = offered + archived


class LinesField(MultilineField):
    """Several values, one per line."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=LONGEST, widget=forms.Textarea(attrs={"rows": 3}), **options)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(map(str, value)) if isinstance(value, list) else value

    def clean(self, value: Any) -> Any:
        typed: str = super().clean(self.prepare_value(value)) or ""
        return [line for line in typed.split("\n") if line]


class YesNoField(forms.TypedChoiceField):
    """Yes, no, or no value."""

    def __init__(self, **options: Any) -> None:
        answers = [("", _("No value")), ("true", _("Yes")), ("false", _("No"))]
        super().__init__(choices=answers, coerce=lambda typed: typed == "true", empty_value="", **options)

    def prepare_value(self, value: Any) -> Any:
        return str(value).lower() if isinstance(value, bool) else value


class _Checkboxes(forms.CheckboxSelectMultiple):
    """Checkboxes that also send an empty value, so that an empty choice differs from a field that was not shown."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        boxes = super().render(name, value, attrs, renderer)
        return format_html('<input type="hidden" name="{}" value="">{}', name, boxes)

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        return [value for value in super().value_from_datadict(data, files, name) or [] if value]


class JsonField(forms.JSONField):
    """Standard JSON, without NaN or Infinity. An empty text becomes None, which clears the attribute."""

    widget = forms.Textarea(attrs={"rows": 4, "spellcheck": "false"})

    def __init__(self, *, is_list: bool = False, longest: int = LONGEST, **options: Any) -> None:
        super().__init__(**options)
        self.longest = longest
        self.is_list = is_list

    def prepare_value(self, value: Any) -> Any:
        return "" if value is None or value == "" else super().prepare_value(value)

    def bound_data(self, data: Any, initial: Any) -> Any:
        """Return the typed text unchanged."""
        return InvalidJSONInput(data) if isinstance(data, str) else data

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str) and (value := clean(value, Kind.VERBATIM)):
            if len(value) > self.longest:
                raise forms.ValidationError(_("This is too long for PingOne."))
            try:
                value = json.loads(value, parse_constant=_refuse)
            except RecursionError:
                raise forms.ValidationError(_("This is nested too deeply.")) from None
            except ValueError as wrong:
                raise forms.ValidationError(str(_not_json(wrong))) from None
            if self.is_list and not isinstance(value, list):
                raise forms.ValidationError(_("Enter a list in square brackets: this attribute has several values."))
            return value
        return None if isinstance(value, str) else value


def _not_json(wrong: ValueError) -> Text:
    if not isinstance(wrong, json.JSONDecodeError):
        return _("This is not JSON.")
    told = _("This is not JSON. Check line {line}, column {column}.")
    return format_lazy(told, line=wrong.lineno, column=wrong.colno)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _field_of(attribute: Attribute) -> forms.Field:
    helps = list(_help(attribute))
    common: dict[str, Any] = {
        "label": attribute.display_name,
        "required": attribute.required,
        "help_text": format_lazy(" ".join(["{}"] * len(helps)), *helps),
    }
    choices = [(value, value) for value in attribute.allowed_values]
    if attribute.type == "JSON":
        return JsonField(is_list=attribute.multi_valued, **common)
    if attribute.type == "BOOLEAN":
        return YesNoField(**common)
    if choices and attribute.multi_valued:
        return forms.MultipleChoiceField(choices=choices, widget=_Checkboxes, **common)
    if choices:
        return forms.ChoiceField(choices=[("", _("No value")), *choices], **common)
    if attribute.multi_valued:
        return LinesField(**common)
    return TextField(max_length=LONGEST, **common)


def _help(attribute: Attribute) -> Iterable[Text]:
    """Yield each help text as a sentence: administrators may have left out the period."""
    for said in (attribute.description, attribute.pattern_in_words):
        if said:
            yield said if said.endswith((".", "!", "?")) else f"{said}."
    if attribute.multi_valued and not attribute.allowed_values and attribute.type == "STRING":
        yield _("One per line.")
    if attribute.unique:
        yield _("Must be different for each user.")
