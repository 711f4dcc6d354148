"""Groups: members added by hand, members by a filter, and groups inside groups."""

import uuid

from django.db import models
from django.utils import timezone

from pingone_integration.sandbox.models.environments import Environment, Population
from pingone_integration.sandbox.models.users import User


class Group(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    environment = models.ForeignKey(Environment, models.CASCADE, related_name="groups")
    population = models.ForeignKey(Population, models.CASCADE, null=True, blank=True, related_name="groups")
    name = models.CharField(max_length=256)
    description = models.TextField(blank=True, default="")
    external_id = models.CharField(max_length=1024, blank=True, default="")
    custom_data = models.JSONField(default=dict)
    user_filter = models.TextField(blank=True, default="")  # empty: members are added by hand only
    source_type = models.CharField(max_length=20, blank=True, default="")
    source_id = models.UUIDField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["environment", "name"], name="group_name")]

    def __str__(self) -> str:
        return self.name


class GroupMembership(models.Model):
    """A user added to a group by hand. PingOne calls this a DIRECT membership."""

    group = models.ForeignKey(Group, models.CASCADE, related_name="memberships", db_index=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["group", "user"], name="membership_unique")]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.group_id}"


class GroupNesting(models.Model):
    """A group inside a group. Users in `member` are indirectly in `container`."""

    member = models.ForeignKey(Group, models.CASCADE, related_name="containers")
    container = models.ForeignKey(Group, models.CASCADE, related_name="nested")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["member", "container"], name="nesting_unique")]

    def __str__(self) -> str:
        return f"{self.member_id} in {self.container_id}"
