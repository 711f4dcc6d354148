"""Limits of an organization: its own values, those that somebody reached, and the people whom an operator looked at."""

from django.db import models

from console.models.people import Operator, Organization


class LimitPolicy(models.Model):
    """An organization's own value of a limit. Without a row, the default in limits/rules.py counts."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="limit_policies")
    limit = models.CharField(max_length=30)  # a key of limits/rules.py
    most = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint("organization", "limit", name="one_value_per_limit")]

    def __str__(self) -> str:
        return f"{self.limit}: {self.most}"


class ReachedLimit(models.Model):
    """A limit that somebody reached, for one user, one operator or the whole organization."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="reached_limits")
    limit = models.CharField(max_length=30)  # a key of limits/rules.py
    about = models.CharField(max_length=64, blank=True)  # ID of the user or operator; empty: the organization
    name = models.CharField(max_length=500, blank=True)  # theirs, as it was then
    reached_at = models.DateTimeField()  # for the last time
    free_at = models.DateTimeField()  # without a lift
    told_at = models.DateTimeField(null=True)  # the last email to the org admins
    refused = models.ManyToManyField(Operator, related_name="+")  # by this limit, since it was last free
    lifted_at = models.DateTimeField(null=True)  # what happened until then does not count

    class Meta:
        constraints = [models.UniqueConstraint("organization", "limit", "about", name="one_row_per_reached_limit")]

    def __str__(self) -> str:
        return f"{self.limit} {self.about}: until {self.free_at}"


class PersonSeen(models.Model):
    """A user whose page an operator read, for about an hour: enough to count how many people they look at."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    operator = models.ForeignKey(Operator, on_delete=models.CASCADE, related_name="+")
    user_id = models.UUIDField()
    at = models.DateTimeField()  # the last time
    nth = models.PositiveIntegerField()  # of how many within the hour before

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "operator", "user_id"], name="person_seen_once")]
        indexes = [models.Index("organization", "operator", "at", name="person_seen_by_time")]

    def __str__(self) -> str:
        return f"{self.operator_id}: {self.user_id}"
