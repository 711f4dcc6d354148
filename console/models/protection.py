"""Who is protected: what org admins mark, and the groups that give administrator roles as of the last reading."""

from django.db import models

from console.models.people import Operator, Organization


class ProtectedMark(models.Model):
    """A user or group that an org admin protects like a PingOne administrator."""

    class Kind(models.TextChoices):
        USER = "user", "user"
        GROUP = "group", "group"

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="protected_marks")
    kind = models.CharField(max_length=5, choices=Kind)
    target_id = models.UUIDField()
    name = models.CharField(max_length=300, blank=True)  # as it was then
    reason = models.TextField()
    marked_by = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="+")
    marked_at = models.DateTimeField(auto_now_add=True)
    ends_at = models.DateTimeField(null=True)  # None: until somebody removes it

    class Meta:
        constraints = [models.UniqueConstraint("organization", "kind", "target_id", name="protected_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


class GroupReading(models.Model):
    """When all groups of an organization's environment were read for their administrator roles."""

    organization = models.OneToOneField(
        Organization, on_delete=models.CASCADE, primary_key=True, related_name="group_reading"
    )
    environment_id = models.UUIDField()  # managed at that time
    read_at = models.DateTimeField()
    shows_roles = models.BooleanField()  # False: the connection may not read role assignments

    def __str__(self) -> str:
        return f"{self.organization_id} at {self.read_at}"


class KnownGroup(models.Model):
    """A group as of the last reading."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="known_groups")
    group_id = models.UUIDField()
    name = models.CharField(max_length=256, blank=True)
    gives_roles = models.BooleanField()  # itself, or through a group to which it is linked by nesting
    is_dynamic = models.BooleanField()
    filter_reads = models.JSONField(default=list)  # the attributes of users that decide about membership
    linked = models.JSONField(default=list)  # IDs of the groups linked by nesting, at any depth

    class Meta:
        constraints = [models.UniqueConstraint("organization", "group_id", name="group_known_once")]
        indexes = [
            models.Index("organization", name="groups_that_give_roles", condition=models.Q(gives_roles=True)),
            models.Index("organization", name="known_dynamic_groups", condition=models.Q(is_dynamic=True)),
        ]

    def __str__(self) -> str:
        return self.name
