"""Every kind of error for people: title, causes and what to do, and which of them a pasted text is."""

import re
from dataclasses import dataclass, replace

from django.forms import CharField, Form, Textarea

from console.access import OrgAccess
from console.failures import connect
from console.failures.failure import Failure, failure_of
from pingone_integration.calls import pasted_errors
from pingone_integration.errors import kinds

_REFUSED = re.compile(r"\berror=([a-z_]+)")  # in the address that PingOne sent a browser back with


@dataclass(frozen=True, kw_only=True)
class ErrorKind:
    """One row of the table of all kinds."""

    kind: str
    told_as: list[Failure]  # in each of the ways in which it is told


def every_kind() -> list[ErrorKind]:
    rows = [
        ErrorKind(kind=kind, told_as=[failure_of(variant, None) for variant in pasted_errors.variants(error)])
        for kind, error in kinds().items()
    ]
    return sorted(rows, key=lambda row: row.told_as[0].title)


def explain(pasted: str, access: OrgAccess) -> Failure | None:
    """In the words of the page that shows such an error; nothing of what was pasted but ids. None: not known."""
    refused = _REFUSED.search(pasted)
    if refused and connect.knows(refused[1]):
        return connect.failure_of_redirect(refused[1], "")
    error = pasted_errors.error_in(pasted)
    return replace(failure_of(error, access), details=()) if error else None


class ExplainForm(Form):
    """Troubleshooting > Explain an error. What was pasted is never rendered back."""

    error_text = CharField(
        label="Error text, JSON or status",
        max_length=20_000,
        widget=Textarea(attrs={"rows": 5, "spellcheck": "false", "autocapitalize": "none", "autocomplete": "off"}),
        help_text="For example PingOne's JSON answer, or the words of a notice. It is neither stored nor shown again.",
        error_messages={
            "required": "Paste an error first.",
            "max_length": "This is too long: paste the error alone, at most 20,000 characters.",
        },
    )
