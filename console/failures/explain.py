"""Explanations of every kind of error: title, causes and next step, and recognition of a pasted error."""

import re
from dataclasses import dataclass, replace

from django.forms import Form, Textarea
from django.utils.translation import gettext_lazy as _

from console.access import OrgAccess
from console.failures import connect
from console.failures.failure import Failure, failure_of
from console.fields import TextField
from pingone_integration.calls import pasted_errors
from pingone_integration.errors import kinds
from pingone_integration.typed.text import Kind

_REFUSED = re.compile(r"\berror=([a-z_]+)")  # in the address of PingOne's redirect


@dataclass(frozen=True, kw_only=True)
class ErrorKind:
    """A row of the table of all kinds."""

    kind: str
    told_as: list[Failure]  # every variant of its wording


def every_kind() -> list[ErrorKind]:
    rows = [
        ErrorKind(kind=kind, told_as=[failure_of(variant, None) for variant in pasted_errors.variants(error)])
        for kind, error in kinds().items()
    ]
    return sorted(rows, key=lambda row: str(row.told_as[0].title))


def explain(pasted: str, access: OrgAccess) -> Failure | None:
    """Explain a pasted error, or return None if it is unknown. Of the pasted text, only IDs are repeated."""
    refused = _REFUSED.search(pasted)
    if refused and connect.knows(refused[1]):
        return connect.failure_of_redirect(refused[1], "")
    error = pasted_errors.error_in(pasted)
    return replace(failure_of(error, access), details=()) if error else None


class ExplainForm(Form):
    """The form of Troubleshooting > Explain an error. The pasted text is never rendered back."""

    error_text = TextField(
        kind=Kind.VERBATIM,
        label=_("Error text, JSON or status"),
        max_length=20_000,
        widget=Textarea(attrs={"rows": 5, "spellcheck": "false", "autocapitalize": "none", "autocomplete": "off"}),
        help_text=_("For example PingOne's JSON answer, or the text of a notice. It is not stored or shown again."),
        error_messages={
            "required": _("Paste an error first."),
            "max_length": _("This is too long. Paste only the error, at most 20,000 characters."),
        },
    )
