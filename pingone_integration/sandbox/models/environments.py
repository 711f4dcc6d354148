"""Environments and their configuration: populations, password policies, the user schema."""

import uuid

from django.db import models
from django.utils import timezone


class ExistingEnvironments(models.Manager["Environment"]):
    """The manager that hides deleted environments. Their rows stay, so that mending restores them."""

    def get_queryset(self) -> models.QuerySet["Environment"]:
        return super().get_queryset().filter(deleted_at=None)


class Environment(models.Model):
    class Kind(models.TextChoices):
        ADMINISTRATORS = "administrators"  # where administrators and the Worker application live
        MANAGED = "managed"  # where the organization's users live

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    organization_id = models.UUIDField()
    license_id = models.UUIDField(default=uuid.uuid4)
    name = models.CharField(max_length=256)
    description = models.TextField(blank=True, default="")
    type = models.CharField(max_length=20, default="PRODUCTION")
    region = models.CharField(max_length=4, default="EU")
    kind = models.CharField(max_length=20, choices=Kind.choices, default=Kind.MANAGED)
    has_unlock = models.BooleanField(default=True)  # whether its plan has account.unlock
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)
    deleted_at = models.DateTimeField(null=True, blank=True)

    objects = ExistingEnvironments()
    with_deleted = models.Manager["Environment"]()

    def __str__(self) -> str:
        return self.name


class PasswordPolicy(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    environment = models.ForeignKey(Environment, models.CASCADE, related_name="password_policies")
    name = models.CharField(max_length=256)
    default = models.BooleanField(default=False)
    definition = models.JSONField(default=dict)  # the policy's rules, as PingOne spells them
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.name


class Population(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    environment = models.ForeignKey(Environment, models.CASCADE, related_name="populations")
    name = models.CharField(max_length=256)
    description = models.TextField(blank=True, default="")
    default = models.BooleanField(default=False)
    password_policy = models.ForeignKey(PasswordPolicy, models.PROTECT)
    preferred_language = models.CharField(max_length=256, blank=True, default="")
    alternative_identifiers = models.JSONField(default=list)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["environment", "name"], name="population_name_unique"),
            models.UniqueConstraint(
                fields=["environment"], condition=models.Q(default=True), name="population_one_default"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class SchemaAttribute(models.Model):
    """An attribute of the environment's user schema, with PingOne's own members in `definition`."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    environment = models.ForeignKey(Environment, models.CASCADE, related_name="schema_attributes")
    name = models.CharField(max_length=256)
    schema_type = models.CharField(max_length=10, default="CUSTOM")
    type = models.CharField(max_length=10, default="STRING")
    enabled = models.BooleanField(default=True)
    required = models.BooleanField(default=False)
    unique = models.BooleanField(default=False)
    multi_valued = models.BooleanField(default=False)
    definition = models.JSONField(default=dict)  # displayName, enumeratedValues, regexValidation, subAttributes
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["environment", "name"], name="schema_attribute_name_unique")]

    def __str__(self) -> str:
        return self.name
