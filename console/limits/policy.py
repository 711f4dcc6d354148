"""An organization's own values of the limits."""

from datetime import datetime

from django.db import transaction

from console.access import OrgAccess, Permission
from console.audit import entries
from console.audit.entries import Subject
from console.limits.reached import now_reached, require_fresh, require_lifter
from console.limits.rules import LIMITS, Limit
from console.models import AuditEntry, LimitPolicy, Organization


def values(organization: Organization) -> dict[str, int]:
    """Return the value of each limit, the organization's own or the default."""
    own = dict(LimitPolicy.objects.filter(organization=organization).values_list("limit", "most"))
    return {limit.key: own.get(limit.key, limit.most) for limit in LIMITS}


def change(
    access: OrgAccess, chosen: dict[str, int], *, signed_in_at: datetime | None, source_address: str
) -> list[Limit]:
    """Save the values that differ, each with an entry on record, and return their limits.

    To raise a limit takes a fresh sign-in, and is to lift it if it refuses something now. Raises NotLifted, and saves
    nothing then.
    """
    access.require(Permission.MANAGE_POLICIES)
    with transaction.atomic():
        Organization.objects.select_for_update().get(pk=access.org.pk)
        before = values(access.org)
        changed = [limit for limit in LIMITS if chosen[limit.key] != before[limit.key]]
        raised = {limit.key for limit in changed if chosen[limit.key] > before[limit.key]}
        if raised:
            require_fresh(signed_in_at)
        for reached in now_reached(access.org) if raised else []:
            if reached.limit.key in raised:
                require_lifter(access, reached, signed_in_at=signed_in_at)
        for limit in changed:
            LimitPolicy.objects.update_or_create(
                organization=access.org, limit=limit.key, defaults={"most": chosen[limit.key]}
            )
            entries.record(
                access.org,
                "limit.changed",
                subject=Subject(kind=AuditEntry.Subject.POLICY, id=limit.key, name=limit.label),
                operator=access.operator,
                source_address=source_address,
                before={"most": before[limit.key]},
                after={"most": chosen[limit.key]},
            )
    return changed
