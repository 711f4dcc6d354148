"""The ticket policies: whether an action needs a ticket reference, per organization."""

from typing import Any

from django.db import models
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.models.people import Organization
from console.models.ticket_masks import LONGEST, example_of, matches, validate_ticket_masks
from pingone_integration.texts import Text


class TicketPolicy(models.Model):
    """An organization's ticket requirement for one action. Without a policy, the ticket is optional."""

    class Requirement(models.TextChoices):
        OPTIONAL = "optional", _("optional")
        REQUIRED = "required", _("required")
        PATTERN = "pattern", _("required, and must match a pattern")

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="ticket_policies")
    action = models.CharField(max_length=60)  # a key of the catalogue
    requirement = models.CharField(max_length=10, choices=Requirement, default=Requirement.OPTIONAL)
    pattern = models.CharField(max_length=LONGEST, blank=True, validators=[validate_ticket_masks])
    # A regular expression of an earlier version that no mask can stand for, until the org admins were told of it.
    dropped_pattern = models.CharField(max_length=LONGEST, blank=True, db_default="", editable=False)

    class Meta:
        constraints = [models.UniqueConstraint("organization", "action", name="one_ticket_policy_per_action")]

    def __str__(self) -> str:
        return f"{self.action}: {self.get_requirement_display()}"

    def save(self, *args: Any, **options: Any) -> None:
        super().save(*args, **options)
        self._announce()

    def delete(self, *args: Any, **options: Any) -> tuple[int, dict[str, int]]:
        deleted = super().delete(*args, **options)
        self._announce()
        return deleted

    def _announce(self) -> None:
        policies = TicketPolicy.objects.filter(organization=self.organization)
        self.organization.required_tickets = {
            policy.action: example_of(policy.pattern) for policy in policies if policy.is_required
        }
        self.organization.save(update_fields=["required_tickets"])

    @property
    def is_required(self) -> bool:
        return self.requirement != self.Requirement.OPTIONAL

    def problem_with(self, ticket: str) -> Text:
        """Return why the action cannot run with this ticket, or "" if it can."""
        if self.is_required and not ticket:
            return _("This action needs a ticket. Enter a ticket number.")
        if self.requirement != self.Requirement.PATTERN:
            return ""
        return "" if matches(self.pattern, ticket) else self.expected

    @property
    def announced(self) -> Text:
        """Return what a required ticket looks like, as known beforehand; "" if any ticket will do."""
        return self.expected if example_of(self.pattern) else ""

    @property
    def expected(self) -> Text:
        """Return what a ticket looks like: an example."""
        example = example_of(self.pattern)
        if not example:
            return _("This does not match your organization's ticket pattern. Check the ticket number.")
        return format_lazy(_("Enter a ticket number like {example}."), example=example)


def ticket_policy(organization: Organization, action: str) -> TicketPolicy:
    """Return the organization's policy, or an unsaved policy that asks for nothing."""
    found = TicketPolicy.objects.filter(organization=organization, action=action).first()
    return found or TicketPolicy(organization=organization, action=action)
