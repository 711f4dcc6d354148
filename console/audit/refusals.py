"""Refusals on record, before an operation is there to record: for want of a permission, and of users out of reach."""

from uuid import UUID

from django.core.exceptions import PermissionDenied

from console import visible_users
from console.access import OrgAccess, Permission
from console.audit import repeated
from console.audit.entries import Outcome, Subject
from console.models import AuditEntry
from pingone_integration.errors import NotFound


def permission_refused(access: OrgAccess, error: PermissionDenied, *, door: str, source_address: str = "") -> None:
    """Record that a member lacked a permission. `door`: the page, or the command, and the action if there is one."""
    missing = error.args[0] if error.args else ""
    inputs = {"page": door} | ({"permission": missing.value} if isinstance(missing, Permission) else {})
    _record(access, door, inputs, source_address)


def require_visible(access: OrgAccess, user_id: UUID, *, door: str, source_address: str = "") -> None:
    """Raise NotFound, on record, if the operator may not see the user on whom they want to act.

    A user that PingOne does not have is recorded alike: not even the time it takes may tell that somebody exists.
    """
    try:
        visible_users.require(access, user_id)
    except NotFound:
        _record(access, f"{door} {user_id}", {"page": door, "user": str(user_id)}, source_address)
        raise


def _record(access: OrgAccess, door: str, inputs: dict[str, str], source_address: str) -> None:
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
