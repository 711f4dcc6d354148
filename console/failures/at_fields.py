"""PingOne's refusal of a form: the failure above the form, and each detail at its field."""

from dataclasses import replace

from django.http import HttpRequest
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.actions.custom_attributes import field_name
from console.actions.forms import ActionForm
from console.failures.failure import Failure, report
from pingone_integration.errors import ChangedMeanwhile, Detail, Duplicate, InvalidValue, PingOneError
from pingone_integration.profiles import name_of
from pingone_integration.texts import Text

_AT_FIELDS = (Duplicate, InvalidValue, ChangedMeanwhile)
_IN_WORDS: dict[str, Text] = {
    "UNIQUENESS_VIOLATION": _("This is already taken."),
    "REQUIRED_VALUE": _("PingOne needs a value here."),
    "EMPTY_VALUE": _("PingOne needs a value here."),
    "INVALID_VALUE": _("PingOne does not accept this value."),
    "OUT_OF_RANGE": _("This is too small, too large or too long for PingOne."),
    "SIZE_LIMIT_EXCEEDED": _("This is too long for PingOne."),
    "CONSTRAINT_VIOLATION": _("This breaks a rule of this environment."),
}


def tell_at_fields(request: HttpRequest, error: PingOneError, form: ActionForm) -> Failure:
    """Return the failure for the top of the form. If it is about the input, move its details to their fields."""
    failure = report(request, error)
    if not isinstance(error, _AT_FIELDS):
        return failure
    for detail in error.details:
        form.add_error(_field_of(detail, form), str(_words_of(detail)))
    return replace(failure, details=())


def _field_of(detail: Detail, form: ActionForm) -> str | None:
    target = detail.target
    names = (name_of(target), target, field_name(target), f"{target}_id", target.removesuffix(".id") + "_id")
    return next((name for name in names if name in form.shown_inputs()), None)


def _words_of(detail: Detail) -> Text:
    """Return the console's words, then PingOne's, which are for developers and may change."""
    words = _IN_WORDS.get(detail.code, _("PingOne does not accept this."))
    allowed = detail.inner.get("allowedValues")
    if isinstance(allowed, list) and allowed:
        values = ", ".join(str(value) for value in allowed[:20])
        words = format_lazy(_("{problem} Allowed: {values}."), problem=words, values=values)
    if detail.message:
        return format_lazy(_("{problem} PingOne says: {message}"), problem=words, message=detail.message)
    return words
