"""Records of events: audit activities, and the emails that PingOne would send."""

import uuid

from django.db import models
from django.utils import timezone

from pingone_integration.sandbox.models.environments import Environment


class Activity(models.Model):
    """An audit event. `document` is the event as PingOne shows it; the other columns are for filters."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    environment = models.ForeignKey(Environment, models.CASCADE, db_index=False)
    recorded_at = models.DateTimeField(default=timezone.now)
    action_type = models.CharField(max_length=60)
    correlation_id = models.CharField(max_length=100, blank=True, default="")
    actor_user_id = models.UUIDField(null=True, blank=True)
    actor_user_name = models.CharField(max_length=128, blank=True, default="")
    actor_client_id = models.UUIDField(null=True, blank=True)
    resource_id = models.UUIDField(null=True, blank=True)
    resource_type = models.CharField(max_length=60, blank=True, default="")
    population_id = models.UUIDField(null=True, blank=True)  # of the resource
    document = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=["environment", "-recorded_at", "id"], name="activity_recorded"),
            models.Index(fields=["environment", "resource_id", "-recorded_at"], name="activity_resource"),
            models.Index(fields=["environment", "actor_user_id", "-recorded_at"], name="activity_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.action_type} {self.id}"


class Mail(models.Model):
    """An email that PingOne would have sent. The sandbox's outbox page shows it."""

    environment = models.ForeignKey(Environment, models.CASCADE)
    user_id = models.UUIDField()
    to = models.CharField(max_length=256)
    subject = models.CharField(max_length=256)
    body = models.TextField()
    sent_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.subject} to {self.to}"
