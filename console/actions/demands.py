"""What an action may demand of the operator before it runs: a ticket, a reason, or a fresh sign-in."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from console.access import Acting
from console.models import TicketPolicy
from console.models.tickets import ticket_policy
from console.rights.roles import TICKET
from console.sessions import fresh
from pingone_integration.texts import Text


class Demand(StrEnum):
    REASON = "reason"
    FRESH_SIGN_IN = "fresh sign-in"
    APPROVAL = "approval"  # of a second person: see console/approvals; the last to be asked for


_WORDS: dict[Demand, Text] = {
    Demand.REASON: _("Enter a reason."),
    Demand.FRESH_SIGN_IN: _("Sign in again to confirm that it is you."),
    Demand.APPROVAL: _("This needs the approval of a second person."),
}


def unmet(
    demands: Iterable[Demand], *, reason: str, signed_in_at: datetime | None, at: datetime | None = None
) -> frozenset[Demand]:
    """Return the demands that this reason and this last sign-in (None: no browser session) do not meet.

    `at`: when the sign-in had to be fresh; None: now.
    """
    met = {Demand.REASON} if reason.strip() else set()
    if signed_in_at and (at or timezone.now()) - signed_in_at < fresh.FRESH_FOR:
        met.add(Demand.FRESH_SIGN_IN)
    return frozenset(demands) - met


def problem_with(demands: frozenset[Demand]) -> Text:
    """Return what the operator has to do first, or "" if nothing."""
    return next((_WORDS[demand] for demand in Demand if demand in demands), "")


def of_role(access: Acting, key: str) -> frozenset[Demand]:
    """Return what the operator's role demands for an action, besides a ticket."""
    return frozenset(Demand(demand) for demand in access.rights.demands(key) if demand != TICKET)


def ticket_policy_for(access: Acting, key: str) -> TicketPolicy:
    """Return the organization's ticket policy for an action. The operator's role may add that a ticket is required."""
    policy = ticket_policy(access.org, key)
    if not policy.is_required and TICKET in access.rights.demands(key):
        return TicketPolicy(organization=access.org, action=key, requirement=TicketPolicy.Requirement.REQUIRED)
    return policy
