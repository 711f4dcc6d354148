"""Templates of users: a named list of groups and profile fields, such as those of a department."""

from uuid import uuid4

from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from console.models.people import Organization

LONGEST_NAME = 80


class UserTemplate(models.Model):
    """The groups, profile fields and population that users of one kind have. Plans give them to a user."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="user_templates")
    name = models.CharField(max_length=LONGEST_NAME)
    groups = models.JSONField(default=list)  # {"id", "name"}: the name as it was when the template was saved
    fields = models.JSONField(default=dict)  # as typed, by the names of fields of the form that edits a user
    population_id = models.UUIDField(null=True)  # None: the template says nothing of it
    population_name = models.CharField(max_length=256, blank=True)
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint("organization", Lower("name"), name="user_template_once")]
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
