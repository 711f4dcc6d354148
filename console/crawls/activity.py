"""Since when a user counts as inactive: the latest of sign-in, creation and activation in the console."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import Max

from console.models import AuditEntry, Organization
from pingone_integration.users import User


def active_at(user: User, activated_at: datetime | None = None) -> datetime | None:
    """Return when the user was active last. None: PingOne names a sign-in, but not legibly when."""
    if user.has_signed_on is None:
        return None
    return max(filter(None, (user.last_sign_on_at, user.created_at, activated_at)), default=None)


def last_activations(organization: Organization, people: Iterable[User]) -> dict[UUID, datetime]:
    """Return when the console last activated them. One query."""
    activations = AuditEntry.objects.filter(
        organization=organization,
        action="user.activate",
        outcome=AuditEntry.Outcome.SUCCEEDED,
        subject_id__in=[str(user.id) for user in people],
    )
    last = activations.order_by().values("subject_id").annotate(last=Max("at")).values_list("subject_id", "last")
    return {UUID(subject_id): at for subject_id, at in last}
