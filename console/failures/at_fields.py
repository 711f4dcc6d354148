"""PingOne's refusal of a form: the failure above the form, and each detail at its field."""

from dataclasses import replace

from django.http import HttpRequest

from console.actions.custom_attributes import field_name
from console.actions.forms import ActionForm
from console.failures.failure import Failure, report
from pingone_integration.errors import ChangedMeanwhile, Detail, Duplicate, InvalidValue, PingOneError
from pingone_integration.profiles import name_of

_AT_FIELDS = (Duplicate, InvalidValue, ChangedMeanwhile)
_IN_WORDS = {
    "UNIQUENESS_VIOLATION": "This is taken already.",
    "REQUIRED_VALUE": "PingOne needs a value here.",
    "EMPTY_VALUE": "PingOne needs a value here.",
    "INVALID_VALUE": "PingOne does not accept this value.",
    "OUT_OF_RANGE": "This is too small, too large or too long for PingOne.",
    "SIZE_LIMIT_EXCEEDED": "This is too long for PingOne.",
    "CONSTRAINT_VIOLATION": "This breaks a rule of this environment.",
}


def tell_at_fields(request: HttpRequest, error: PingOneError, form: ActionForm) -> Failure:
    """Return the failure for the top of the form. If it is about the input, move its details to their fields."""
    failure = report(request, error)
    if not isinstance(error, _AT_FIELDS):
        return failure
    for detail in error.details:
        form.add_error(_field_of(detail, form), _words_of(detail))
    return replace(failure, details=())


def _field_of(detail: Detail, form: ActionForm) -> str | None:
    target = detail.target
    names = (name_of(target), target, field_name(target), f"{target}_id", target.removesuffix(".id") + "_id")
    return next((name for name in names if name in form.shown_inputs()), None)


def _words_of(detail: Detail) -> str:
    """Return the console's words, then PingOne's, which are for developers and may change."""
    ours = _IN_WORDS.get(detail.code, "PingOne does not accept this.")
    allowed = detail.inner.get("allowedValues")
    if isinstance(allowed, list) and allowed:
        ours += f" Allowed: {', '.join(str(value) for value in allowed[:20])}."
    return f"{ours} PingOne says: {detail.message}" if detail.message else ours
