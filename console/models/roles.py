"""The roles that an organization made of its own. The built-in ones are in console/rights/roles.py."""

from django.db import models
from django.db.models.functions import Lower

LONGEST_ROLE = 60  # characters of a name


class Role(models.Model):
    """A role of one organization. It was copied from another role and has its own rights from then on."""

    organization = models.ForeignKey("console.Organization", on_delete=models.CASCADE, related_name="roles")
    key = models.SlugField(max_length=80)  # in URLs and the audit log: never changed; never that of a built-in role
    name = models.CharField(max_length=LONGEST_ROLE)
    base = models.CharField(max_length=20)  # the built-in role that it stems from: Membership.role of its members
    rights = models.JSONField(default=dict)  # see console/rights/roles.py, Rights

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint("organization", "key", name="one_role_per_key"),
            models.UniqueConstraint("organization", Lower("name"), name="one_role_per_name"),
        ]

    def __str__(self) -> str:
        return self.name
