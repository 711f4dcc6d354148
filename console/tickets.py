"""The ticket that an operator works on, and an org admin's policy for each action's ticket.

The operator sets the ticket once. It applies to every action until it is changed.
"""

from typing import Any

from django.core.exceptions import ValidationError
from django.forms import ChoiceField, Form, TextInput
from django.utils.translation import gettext_lazy as _

from console.access import ConsoleRequest
from console.fields import IdField, TextField
from console.models import TicketPolicy
from console.models.ticket_patterns import LONGEST, validate_ticket_pattern
from console.session_slot import SessionSlot
from pingone_integration.typed_text import Kind

Requirement = TicketPolicy.Requirement


def current_ticket(request: ConsoleRequest) -> str:
    """Return the ticket of this organization in this browser session, empty if none is set."""
    return str(_slot(request).get() or "")


def set_current_ticket(request: ConsoleRequest, ticket: str) -> None:
    _slot(request).set(ticket)


def _slot(request: ConsoleRequest) -> SessionSlot:
    return SessionSlot(request.session, f"ticket-{request.access.org.pk}")


class TicketForm(Form):
    """The ticket to work on from now on, empty for none."""

    ticket = TextField(kind=Kind.ID, required=False, max_length=100)
    user_id = IdField(required=False)  # the user on whose page it was set


class TicketPolicyForm(Form):
    """The ticket policy of one action."""

    requirement = ChoiceField(label=_("Ticket"), choices=Requirement)
    pattern = TextField(
        kind=Kind.CODE,
        label=_("Pattern"),
        required=False,
        max_length=LONGEST,
        validators=[validate_ticket_pattern],
        widget=TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false", "placeholder": r"INC\d+"}
        ),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("requirement") == Requirement.PATTERN and not cleaned.get("pattern") and not self.errors:
            self.add_error("pattern", ValidationError(_("Enter a pattern, for example INC\\d+.")))
        return cleaned
