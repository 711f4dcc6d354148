"""Account recovery by users themselves: where it is on and under which rules, and where they get help."""

from typing import Any

from django.db import models

from console.models.people import Organization
from pingone_integration.password_rules import rules_of
from pingone_integration.texts import Text

LONGEST_PHONE = 40
EMAIL = "email"


class RecoveryPolicy(models.Model):
    """The rules of recovery for the users of one population. Without a row, recovery is off there."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="recovery_policies")
    population_id = models.UUIDField()
    population_name = models.CharField(max_length=256, blank=True)  # as it was then
    is_on = models.BooleanField(default=False)
    # The attribute that holds the address for the code: email, or one of the organization for a private address.
    proof_attribute = models.CharField(max_length=256, default=EMAIL)
    # "Is this mailbox opened with the password people have lost?" None: not answered.
    opens_with_lost_password = models.BooleanField(null=True)
    accepts_unverified = models.BooleanField(default=False)  # an email address that PingOne did not verify
    unlocks_account = models.BooleanField(default=False)  # also an account lock beside that of the password
    demands_device = models.BooleanField(default=False)
    ends_sessions = models.BooleanField(default=True)
    users_counted = models.PositiveIntegerField(null=True)
    without_address = models.PositiveIntegerField(null=True)  # of them: those who have no usable address
    counted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint("organization", "population_id", name="one_recovery_policy")]

    def __str__(self) -> str:
        return f"{self.population_name}: {'on' if self.is_on else 'off'}"

    def save(self, *args: Any, **options: Any) -> None:
        super().save(*args, **options)
        self._announce()

    def delete(self, *args: Any, **options: Any) -> tuple[int, dict[str, int]]:
        deleted = super().delete(*args, **options)
        self._announce()
        return deleted

    def _announce(self) -> None:
        named = RecoveryPolicy.objects.filter(organization=self.organization).exclude(proof_attribute=EMAIL)
        self.organization.private_addresses = sorted(set(named.values_list("proof_attribute", flat=True)))
        self.organization.save(update_fields=["private_addresses"])


class RecoverySettings(models.Model):
    """What the recovery pages are for every user of an organization. Without a row, nothing of this."""

    organization = models.OneToOneField(
        Organization, on_delete=models.CASCADE, primary_key=True, related_name="recovery_settings"
    )
    helpdesk_phone = models.CharField(max_length=LONGEST_PHONE, blank=True)
    sign_in_url = models.URLField(max_length=500, blank=True)
    # For a server without mail. Of the whole organization: the page looks the same for everybody.
    uses_pingone_code = models.BooleanField(default=False, db_default=False)
    password_policy = models.JSONField(null=True)  # its rules, as PingOne spells them; None: not known, or not the same

    def __str__(self) -> str:
        return f"{self.organization_id}: {self.helpdesk_phone}"

    @property
    def password_rules(self) -> tuple[Text, ...]:
        """Return the rules for a new password that hold for everybody, as far as they are known."""
        return rules_of(self.password_policy or {})
