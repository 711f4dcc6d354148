"""Lost second factors that an org admin resets, after a delay in which their owner can stop it."""

from typing import Self

from django.db import models

from console.models.people import Operator, Organization


class FactorResetQuerySet(models.QuerySet["FactorReset"]):
    def open(self) -> Self:
        return self.filter(stopped_at=None, done_at=None)


class FactorReset(models.Model):
    """One reset. The link to stop it is known to the email alone, the database keeps a hash of its token."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="factor_resets")
    operator = models.ForeignKey(Operator, on_delete=models.CASCADE, related_name="factor_resets")
    asked_by = models.ForeignKey(Operator, on_delete=models.CASCADE, related_name="+")
    token_hash = models.CharField(max_length=64, unique=True)
    asked_at = models.DateTimeField()
    due_at = models.DateTimeField()
    stopped_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)

    objects = FactorResetQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "operator",
                condition=models.Q(stopped_at=None, done_at=None),
                name="one_open_factor_reset_per_operator",
            )
        ]

    def __str__(self) -> str:
        return f"{self.operator} at {self.due_at}"
