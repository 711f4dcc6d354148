"""PingOne's validation errors, each at the field of the form that it is about."""

from console.action_forms import ActionForm
from console.attribute_fields import field_name
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


def lands_at_fields(error: PingOneError, form: ActionForm) -> bool:
    """Add the error's details to the form; False when it is not about what was typed."""
    if not isinstance(error, _AT_FIELDS):
        return False
    if not error.details:
        form.add_error(None, f"{error.title}. {error.cause} {error.resolution}")
    for detail in error.details:
        form.add_error(_field_of(detail, form), _words_of(detail))
    return True


def _field_of(detail: Detail, form: ActionForm) -> str | None:
    target = detail.target
    names = (name_of(target), target, field_name(target), f"{target}_id", target.removesuffix(".id") + "_id")
    return next((name for name in names if name in form.shown_inputs()), None)


def _words_of(detail: Detail) -> str:
    """Our words first: PingOne's are for developers, and may change."""
    ours = _IN_WORDS.get(detail.code, "PingOne does not accept this.")
    allowed = detail.inner.get("allowedValues")
    if isinstance(allowed, list) and allowed:
        ours += f" Allowed: {', '.join(str(value) for value in allowed[:20])}."
    return f"{ours} PingOne says: {detail.message}" if detail.message else ours
