"""Events that happen again within a minute: counted here, beside the chain, and then added to their entry."""

from django.db import models

from console.models.people import Organization


class Repetition(models.Model):
    """How often an event that is on record happened again within its minute, until this is added to its entry."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, null=True, related_name="+")
    key = models.CharField(max_length=64)  # hash of chain, person, event and door
    minute = models.DateTimeField()
    entry = models.UUIDField(null=True)  # of the first time; None inside the transaction that writes it
    times = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key", "minute"], name="one_repetition_per_minute")]
        indexes = [models.Index(fields=["minute"], name="repetition_by_minute")]

    def __str__(self) -> str:
        return f"{self.entry}: {self.times}"
