"""Which actions ask for a ticket reference, as an org admin decides."""

from typing import Any

from django.core.exceptions import ValidationError
from django.forms import CharField, ChoiceField, Form, TextInput

from console.models import TicketPolicy
from console.models.tickets import validate_ticket_pattern

Requirement = TicketPolicy.Requirement


class TicketPolicyForm(Form):
    """What one action asks for."""

    requirement = ChoiceField(label="Ticket", choices=Requirement)
    pattern = CharField(
        label="Pattern",
        required=False,
        max_length=200,
        validators=[validate_ticket_pattern],
        widget=TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false", "placeholder": r"INC\d+"}
        ),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("requirement") == Requirement.PATTERN and not cleaned.get("pattern") and not self.errors:
            self.add_error("pattern", ValidationError("A pattern is missing, for example INC\\d+."))
        return cleaned
