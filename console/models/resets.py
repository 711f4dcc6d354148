"""Recovery codes and passwords that operators sent, until it is known whether they were used."""

from django.db import models

from console.models.people import Operator, Organization
from console.models.work import Work


class SentReset(Work):
    """A recovery code or new password that an operator sent. The worker looks whether the user used it."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    operator = models.ForeignKey(Operator, on_delete=models.CASCADE, related_name="+")
    user_id = models.UUIDField()
    username = models.CharField(max_length=500, blank=True)  # as it was then
    population_id = models.UUIDField(null=True)
    entry = models.UUIDField(unique=True)  # in the audit log
    action = models.CharField(max_length=60)  # a key of the catalogue
    sent_at = models.DateTimeField()
    changed_before = models.DateTimeField(null=True)  # the last change of the password that was known then
    looks = models.PositiveSmallIntegerField(default=0)
    used_at = models.DateTimeField(null=True)

    class Meta(Work.Meta):
        indexes = [
            *Work.Meta.indexes,
            models.Index("organization", "user_id", "sent_at", name="sent_reset_of_user"),
            models.Index("operator", "organization", "sent_at", name="sent_reset_by_operator"),
        ]

    def __str__(self) -> str:
        return f"{self.action} to {self.user_id}"
