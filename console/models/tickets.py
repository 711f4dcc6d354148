"""The ticket policies: whether an action needs a ticket reference, per organization."""

import re

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.models.people import Organization
from pingone_integration.texts import Text

_MOST_REPETITIONS = 3


def validate_ticket_pattern(pattern: str) -> None:
    """Reject a regular expression that can run for long (ReDoS): no groups, few repetitions."""
    if re.search(r"(?<!\\)[()]", pattern):
        raise ValidationError(_("Leave out the parentheses ( ). Use a pattern like INC\\d+ or CHG\\d+|INC\\d+."))
    if len(re.findall(r"(?<!\\)[*+?{]", pattern)) > _MOST_REPETITIONS:
        raise ValidationError(format_lazy(_("Use at most {most} repetitions (*, +, ?, {{}})."), most=_MOST_REPETITIONS))
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValidationError(format_lazy(_("This is not a regular expression: {error}."), error=str(error))) from None


class TicketPolicy(models.Model):
    """An organization's ticket requirement for one action. Without a policy, the ticket is optional."""

    class Requirement(models.TextChoices):
        OPTIONAL = "optional", _("optional")
        REQUIRED = "required", _("required")
        PATTERN = "pattern", _("required, and must match a pattern")

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

    def problem_with(self, ticket: str) -> Text:
        """Return why the action cannot run with this ticket, or "" if it can."""
        if self.is_required and not ticket:
            return _("This action needs a ticket. Enter a ticket number.")
        if self.requirement == self.Requirement.PATTERN and not re.fullmatch(self.pattern, ticket):
            return format_lazy(_("Enter a ticket number like {example}."), example=_example_of(self.pattern))
        return ""


def _example_of(pattern: str) -> str:
    """Return a ticket that matches, such as INC12345 for INC\\d+, or the pattern itself if it is not that simple."""
    example = re.sub(r"\\d(?:[+*]|\{(\d)\})?", _digits, pattern.partition("|")[0])
    return example if re.fullmatch(pattern, example) else pattern


def _digits(found: re.Match[str]) -> str:
    several = found[0].endswith(("+", "*"))
    return "12345" if several else "123456789"[: int(found[1] or 1)]


def ticket_policy(organization: Organization, action: str) -> TicketPolicy:
    """Return the organization's policy, or an unsaved policy that asks for nothing."""
    found = TicketPolicy.objects.filter(organization=organization, action=action).first()
    return found or TicketPolicy(organization=organization, action=action)
