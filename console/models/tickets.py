"""The ticket policies: whether an action needs a ticket reference, per organization."""

import re

from django.core.exceptions import ValidationError
from django.db import models

from console.models.people import Organization

_MOST_REPETITIONS = 3


def validate_ticket_pattern(pattern: str) -> None:
    """Reject a regular expression that can run for long (ReDoS): no groups, few repetitions."""
    if re.search(r"(?<!\\)[()]", pattern):
        raise ValidationError("A pattern has no brackets ( ), for example INC\\d+ or CHG\\d+|INC\\d+.")
    if len(re.findall(r"(?<!\\)[*+?{]", pattern)) > _MOST_REPETITIONS:
        raise ValidationError(f"A pattern repeats at most {_MOST_REPETITIONS} times (*, +, ?, {{}}).")
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValidationError(f"This is not a regular expression: {error}.") from None


class TicketPolicy(models.Model):
    """An organization's ticket requirement for one action. Without a policy, the ticket is optional."""

    class Requirement(models.TextChoices):
        OPTIONAL = "optional", "optional"
        REQUIRED = "required", "required"
        PATTERN = "pattern", "required, and must match a pattern"

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="ticket_policies")
    action = models.CharField(max_length=60)  # a key of the catalogue
    requirement = models.CharField(max_length=10, choices=Requirement, default=Requirement.OPTIONAL)
    pattern = models.CharField(max_length=200, blank=True, validators=[validate_ticket_pattern])  # of a whole ticket

    class Meta:
        constraints = [models.UniqueConstraint("organization", "action", name="one_ticket_policy_per_action")]

    def __str__(self) -> str:
        return f"{self.action}: {self.get_requirement_display()}"

    @property
    def is_required(self) -> bool:
        return self.requirement != self.Requirement.OPTIONAL

    def problem_with(self, ticket: str) -> str:
        """Return why the action cannot run with this ticket, or "" if it can."""
        if self.is_required and not ticket:
            return "This organization asks for a ticket reference with this action."
        if self.requirement == self.Requirement.PATTERN and not re.fullmatch(self.pattern, ticket):
            return f"A ticket reference of this organization looks like {self.pattern}."
        return ""


def ticket_policy(organization: Organization, action: str) -> TicketPolicy:
    """Return the organization's policy, or an unsaved policy that asks for nothing."""
    found = TicketPolicy.objects.filter(organization=organization, action=action).first()
    return found or TicketPolicy(organization=organization, action=action)
