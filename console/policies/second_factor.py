"""Which roles may do without a second factor. Every other role needs one, also a role that is made later."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from console.access import OrgAccess
from console.actions import demands
from console.actions.demands import Demand
from console.audit import entries
from console.audit.entries import Subject
from console.models import AuditEntry, Membership, Organization


class NotFresh(Exception):
    """The operator signed in too long ago to decide this."""


def change(access: OrgAccess, demanded: Iterable[str], *, signed_in_at: datetime | None, source_address: str) -> bool:
    """Demand a second factor of these roles, by key, and of no other. Return whether that changed anything.

    Whoever has none sets one up at their next request. Raises NotFresh.
    """
    access.require_org_admin()
    if demands.unmet({Demand.FRESH_SIGN_IN}, reason="", signed_in_at=signed_in_at):
        raise NotFresh
    with transaction.atomic():
        organization = Organization.objects.select_for_update().get(pk=access.org.pk)
        keys = {*Membership.Role.values, *organization.roles.values_list("key", flat=True)}
        before, after = sorted(organization.second_factor_optional), sorted(keys - set(demanded))
        if before == after:
            return False
        organization.second_factor_optional = after
        organization.save(update_fields=["second_factor_optional"])
        entries.record(
            access.org,
            "second-factor.policy-changed",
            subject=Subject(kind=AuditEntry.Subject.POLICY, id=access.org.slug, name=access.org.name),
            operator=access.operator,
            source_address=source_address,
            before={"second_factor_optional": before},
            after={"second_factor_optional": after},
        )
    return True
