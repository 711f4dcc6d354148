"""Administrator roles and their assignments."""

import uuid

from django.db import models

from pingone_integration.sandbox.models.applications import Application
from pingone_integration.sandbox.models.environments import Environment
from pingone_integration.sandbox.models.groups import Group
from pingone_integration.sandbox.models.users import User


class Role(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    environment = models.ForeignKey(Environment, models.CASCADE, null=True, blank=True)  # None: built-in
    name = models.CharField(max_length=256)
    description = models.TextField(blank=True, default="")
    applicable_to = models.JSONField(default=list)  # ORGANIZATION, ENVIRONMENT, POPULATION
    permissions = models.JSONField(default=list)  # ids such as dir:read:user

    def __str__(self) -> str:
        return self.name


class RoleAssignment(models.Model):
    """A role given to exactly one holder: a user, a group or an application."""

    class Scope(models.TextChoices):
        ORGANIZATION = "ORGANIZATION"
        ENVIRONMENT = "ENVIRONMENT"
        POPULATION = "POPULATION"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    role = models.ForeignKey(Role, models.CASCADE, related_name="assignments")
    user = models.ForeignKey(User, models.CASCADE, null=True, blank=True, related_name="role_assignments")
    group = models.ForeignKey(Group, models.CASCADE, null=True, blank=True, related_name="role_assignments")
    application = models.ForeignKey(Application, models.CASCADE, null=True, blank=True, related_name="role_assignments")
    scope_type = models.CharField(max_length=20, choices=Scope.choices)
    scope_id = models.UUIDField()  # of an organization, environment or population, by scope_type
    read_only = models.BooleanField(default=False)  # True: cannot be taken away through the API

    def __str__(self) -> str:
        return f"{self.role} on {self.scope_type} {self.scope_id}"
