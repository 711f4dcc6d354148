"""The text fields of every form: they clean what people type and paste (`pingone_integration.typed.text`).

A password is the exception: it is a plain CharField with `strip=False`.
"""

from typing import Any

from django import forms
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _

from pingone_integration.typed.text import Kind, clean, odd_character

_IN_LOCAL_PART = r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]"
_IN_DOMAIN = r"[\w.-]"


class TextField(forms.CharField):
    """Text of a kind. By default, one line for people."""

    def __init__(self, *, kind: Kind = Kind.NAME, **options: Any) -> None:
        self.kind = kind
        super().__init__(strip=False, **options)

    def to_python(self, value: Any) -> str:
        typed = super().to_python(value) or ""
        return clean(typed, self.kind) or self.empty_value or ""


class MultilineField(TextField):
    """Text for people that may have several lines."""

    widget = forms.Textarea

    def __init__(self, **options: Any) -> None:
        super().__init__(kind=Kind.LINES, **options)


class EmailField(TextField):
    """An email address. The browser does not check it, so that a pasted `<mailto:ada@acme.test>,` is understood."""

    widget = forms.TextInput(attrs={"inputmode": "email", "autocapitalize": "none", "spellcheck": "false"})

    def __init__(self, *, max_length: int = 320, **options: Any) -> None:
        super().__init__(kind=Kind.ADDRESS, max_length=max_length, **options)

    def run_validators(self, value: Any) -> None:
        super().run_validators(value)
        if value in self.empty_values:
            return
        local, _mark, domain = str(value).partition("@")
        odd = odd_character(local, _IN_LOCAL_PART, what=_("The email address"))
        if odd := odd or odd_character(domain, _IN_DOMAIN, what=_("The part after the @")):
            raise forms.ValidationError(str(odd))
        validate_email(value)


class IdField(forms.UUIDField):
    """An ID, as pasted: in quotes, in braces, with an invisible character."""

    def to_python(self, value: Any) -> Any:
        return super().to_python(clean(value, Kind.ID) if isinstance(value, str) else value)
