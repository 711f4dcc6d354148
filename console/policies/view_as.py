"""View as: an operator sees an organization's pages as another member does, and can change nothing meanwhile.

They never get more than their own rights, never the member's account, and every entry of the audit log names them.
The browser session keeps it; `org_view` applies it, and `ViewingAs` refuses everything but reading.
"""

from django.http import HttpRequest

from console.access import OrgAccess, Permission
from console.audit import entries
from console.models import AuditEntry, Membership
from console.rights import viewing
from console.source_address import source_address


def start(request: HttpRequest, access: OrgAccess, membership: Membership) -> None:
    """View the organization as this member from now on, on record."""
    access.require(Permission.MANAGE_MEMBERS)
    _record(request, access, "member.viewed-as", membership)
    viewing.begin(request, membership)


def stop(request: HttpRequest, access: OrgAccess) -> None:
    membership = viewing.current(request, access.org)
    viewing.end(request)
    if membership:
        _record(request, access, "member.view-ended", membership)


def _record(request: HttpRequest, access: OrgAccess, event: str, membership: Membership) -> None:
    member = membership.operator
    entries.record(
        access.org,
        event,
        subject=entries.Subject(kind=AuditEntry.Subject.MEMBERSHIP, id=member.pk, name=member.email),
        operator=access.operator,
        source_address=source_address(request),
    )
