"""Entries of the audit log, as `perform` writes them."""

from typing import Any
from uuid import UUID, uuid4

from console.access import Actor, OrgAccess
from console.audit import entries
from console.audit.entries import Circumstances, Outcome, Subject
from console.models import AuditEntry, Membership, Operator, Organization
from console.rights.roles import rights_of
from pingone_integration.errors import MissingPermission, Trace
from tests.support.answers import ADA

VPN = UUID("7f6e5d4c-3b2a-4190-8f7e-6d5c4b3a2910")
IN_VPN = {"group": "VPN Users", "direct_member": False}


def happened(
    organization: Organization,
    operator: Operator,
    *,
    action: str = "user.deactivate",
    user_id: UUID = ADA,
    name: str = "ada.berg",
    full_name: str = "",
    email: str = "",
    outcome: Outcome | None = Outcome.SUCCEEDED,
    inputs: dict[str, Any] | None = None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    note: str = "",
    population_id: UUID | None = None,
    **circumstances: Any,
) -> AuditEntry:
    """Record an action. With `outcome` None it stays started."""
    row = entries.start(
        organization,
        Actor(kind=AuditEntry.Actor.OPERATOR, operator=operator),
        action,
        Subject(
            kind=AuditEntry.Subject.USER,
            id=user_id,
            name=name,
            full_name=full_name,
            email=email,
            population_id=population_id,
        ),
        entry=uuid4(),
        circumstances=Circumstances(**circumstances),
        inputs=inputs or {},
        before=before or {"enabled": True},
    )
    assert row is not None
    if outcome is None:
        return row
    error = MissingPermission("", trace=Trace(error_id="e-1", correlation_id="c-1"))
    failed = outcome == Outcome.FAILED
    closed = {"after": None, "error": error} if failed else {"after": after or {"enabled": False}}
    return entries.close(row, outcome, note=note, **closed)


def joined(organization: Organization, operator: Operator, **more: Any) -> AuditEntry:
    """Record that a user was added to the group VPN."""
    state: dict[str, Any] = {"before": IN_VPN, "after": IN_VPN | {"direct_member": True}}
    return happened(organization, operator, **({"action": "group.add", "inputs": {"group_id": VPN}} | state | more))


def as_org_admin(organization: Organization) -> OrgAccess:
    """Return the access of somebody who may see the whole log."""
    membership = Membership(organization=organization, operator=Operator(), role=Membership.Role.ORG_ADMIN)
    return OrgAccess(organization, membership.operator, membership, rights_of(membership))
