"""Lock down: one switch of an organization that stops whatever gives access. A guard in `perform` enforces it."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from console.access import OrgAccess, Permission
from console.actions import demands
from console.actions.demands import Demand
from console.audit import entries
from console.models import AuditEntry, Organization
from pingone_integration.texts import Text

DEMANDED = frozenset({Demand.REASON, Demand.FRESH_SIGN_IN})
_ONLY_ORG_ADMINS = _("Only org admins can do this.")


class Refused(Exception):
    """The switch stays as it is. With the demands met, this operator could turn it."""

    def __init__(self, reason: Text, left: frozenset[Demand] = frozenset()) -> None:
        super().__init__(reason)
        self.reason, self.demands = reason, left


def switch(access: OrgAccess, *, on: bool, reason: str, signed_in_at: datetime | None, source_address: str) -> bool:
    """Start or end the lock down, on record. Return whether this changed anything. Raises Refused."""
    access.require(Permission.MANAGE_POLICIES)
    if not access.is_org_admin:
        raise Refused(_ONLY_ORG_ADMINS)
    if left := demands.unmet(DEMANDED, reason=reason, signed_in_at=signed_in_at):
        raise Refused(demands.problem_with(left), left)
    with transaction.atomic():
        organization = Organization.objects.select_for_update().get(pk=access.org.pk)
        if organization.is_locked_down is on:
            return False
        organization.locked_down_at = timezone.now() if on else None
        organization.lock_down_reason = reason.strip() if on else ""
        organization.save(update_fields=["locked_down_at", "lock_down_reason"])
        entries.record(
            organization,
            "lock-down.started" if on else "lock-down.ended",
            subject=entries.Subject(kind=AuditEntry.Subject.POLICY, id=organization.slug, name="Lock down"),
            operator=access.operator,
            source_address=source_address,
            reason=reason.strip(),
        )
    return True
