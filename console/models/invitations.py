"""Invitations of people to an organization."""

from typing import Self

from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from console.models.people import Operator, Organization


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def open(self) -> Self:
        """Return those that were neither accepted nor withdrawn, expired ones too: an org admin can send them again."""
        return self.filter(accepted_at=None, withdrawn_at=None)

    def valid(self) -> Self:
        return self.open().filter(expires_at__gt=timezone.now())


class Invitation(models.Model):
    """An invitation by link. It works once, and the database knows only a hash of the link's token."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField()  # in lower case
    name = models.CharField(max_length=150, blank=True)
    role = models.CharField(max_length=80)  # by key: the role may be gone before they accept
    token_hash = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(Operator, on_delete=models.CASCADE, related_name="+")
    sent_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "organization",
                Lower("email"),
                condition=models.Q(accepted_at=None, withdrawn_at=None),
                name="one_open_invitation_per_address",
            )
        ]

    def __str__(self) -> str:
        return f"{self.email}: {self.role} of {self.organization}"

    @property
    def has_expired(self) -> bool:
        return self.expires_at <= timezone.now()
