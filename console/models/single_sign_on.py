"""Single sign-on: who an operator is at the provider, and which of the provider's groups have which role."""

from django.db import models

from console.models.people import Operator, Organization
from pingone_integration.openid_connect.identity import LONGEST


class LinkedIdentity(models.Model):
    """An operator at an OpenID provider: by issuer and subject, never by an email address."""

    operator = models.ForeignKey(Operator, on_delete=models.CASCADE, related_name="linked_identities")
    issuer = models.CharField(max_length=500)
    subject = models.CharField(max_length=LONGEST)
    linked_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint("issuer", "subject", name="one_operator_per_subject"),
            models.UniqueConstraint("issuer", "operator", name="one_subject_per_operator"),
        ]

    def __str__(self) -> str:
        return f"{self.operator} at {self.issuer}"


class MappedGroup(models.Model):
    """A group of the provider whose people are members of an organization, with a role."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="mapped_groups")
    group = models.CharField(max_length=LONGEST)  # as the groups claim has it, in upper and lower case
    role = models.CharField(max_length=80)  # by key; without such a role, the group gives nothing

    class Meta:
        ordering = ["pk"]  # of several groups, the first decides
        constraints = [models.UniqueConstraint("organization", "group", name="one_role_per_group")]

    def __str__(self) -> str:
        return f"{self.group}: {self.role} of {self.organization}"
