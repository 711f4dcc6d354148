"""Refusals for want of a permission, on record: pages, fragments, actions and commands."""

from django.core.exceptions import PermissionDenied

from console.access import OrgAccess, Permission
from console.audit import repeated
from console.audit.entries import Outcome, Subject
from console.models import AuditEntry


def permission_refused(access: OrgAccess, error: PermissionDenied, *, door: str, source_address: str = "") -> None:
    """Record that a member lacked a permission. `door`: the page, or the command, and the action if there is one."""
    missing = error.args[0] if error.args else ""
    inputs = {"page": door} | ({"permission": missing.value} if isinstance(missing, Permission) else {})
    repeated.record(
        access.org,
        "access.refused",
        door=door,
        operator=access.operator,
        subject=Subject(kind=AuditEntry.Subject.OPERATOR, id=access.operator.pk, name=access.operator.email),
        source_address=source_address,
        outcome=Outcome.REFUSED,
        inputs=inputs,
    )
