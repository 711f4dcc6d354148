"""The ticket that an operator works on for a user, and an org admin's policy for each action's ticket.

The operator sets the ticket once. It applies to every action on this user until it is changed. It belongs to the
caller: for the next user, the operator decides to keep or to drop it, and until then no action carries it.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.forms import ChoiceField, Form, TextInput
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy as _

from console.access import ConsoleRequest
from console.fields import IdField, TextField
from console.models import TicketPolicy
from console.models.ticket_masks import LONGEST, example_of, validate_ticket_masks
from console.session_slot import SessionSlot
from pingone_integration.typed.text import Kind

Requirement = TicketPolicy.Requirement


_MOST_USERS = 50  # whose tickets a browser session keeps


@dataclass(frozen=True, kw_only=True)
class WorkingOn:
    """The ticket of one user in this organization and browser session."""

    ticket: str  # empty: none
    offered: str  # the ticket of the user before, to keep or to drop; empty: nothing to decide


def working_on(request: ConsoleRequest, user_id: UUID) -> WorkingOn:
    kept = _kept(request)
    ticket = kept["by_user"].get(str(user_id))
    return WorkingOn(ticket=ticket or "", offered=kept["latest"] if ticket is None else "")


def current_ticket(request: ConsoleRequest, user_id: UUID) -> str:
    """Return the ticket that the operator works on for this user, or "" if there is none."""
    return working_on(request, user_id).ticket


def set_current_ticket(request: ConsoleRequest, user_id: UUID, ticket: str) -> None:
    """Set the ticket of this user. An empty one also means that the ticket of the user before is over."""
    kept = _kept(request)
    if kept["latest"] == ticket and kept["by_user"].get(str(user_id)) == ticket:
        return
    by_user = {other: kept["by_user"][other] for other in kept["by_user"] if other != str(user_id)}
    recent = list(by_user.items())[-_MOST_USERS + 1 :]
    _slot(request).set({"latest": ticket, "by_user": dict([*recent, (str(user_id), ticket)])})


def _kept(request: ConsoleRequest) -> dict[str, Any]:
    return _slot(request).get() or {"latest": "", "by_user": {}}


def _slot(request: ConsoleRequest) -> SessionSlot:
    return SessionSlot(request.session, f"tickets-{request.access.org.pk}")


def ticket_of_page(request: HttpRequest) -> dict[str, Any]:
    """Return the context `working` of the pages and fragments about one user (a context processor)."""
    user_id = request.resolver_match.kwargs.get("user_id") if request.resolver_match else None
    if user_id is None or not hasattr(request, "access"):
        return {}
    return {"working": SimpleLazyObject(lambda: working_on(request, user_id))}  # type: ignore[arg-type]


class TicketForm(Form):
    """The ticket to work on for a user from now on, empty for none."""

    ticket = TextField(kind=Kind.ID, required=False, max_length=100)
    user_id = IdField()


class TicketPolicyForm(Form):
    """The ticket policy of one action."""

    requirement = ChoiceField(label=_("Ticket"), choices=Requirement)
    pattern = TextField(
        kind=Kind.CODE,
        label=_("Pattern"),
        required=False,
        max_length=LONGEST,
        validators=[validate_ticket_masks],
        widget=TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false", "placeholder": "INC#####"}
        ),
    )

    @property
    def example(self) -> str:
        """Return a ticket that matches the pattern, "" if there is none."""
        pattern = str(self["pattern"].value() or "")
        return example_of(pattern) if pattern else ""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("requirement") == Requirement.PATTERN and not cleaned.get("pattern") and not self.errors:
            self.add_error("pattern", ValidationError(_("Enter a pattern, for example INC#####.")))
        return cleaned
