"""The entries that an operator may see: one rule for the log, its pages, recent activity, Undo and exports.

Who may export the log (org admins, auditors) sees all of it. Others see what happened to users, and their own sign-ins
and account: not settings, other operators' accounts, requests with Call API, alarms, or the addresses of anybody.
Members who see the users of some populations see the entries about these users only.
"""

from django.db.models import Q

from console.access import OrgAccess, Permission
from console.audit.entries import EVENTS
from console.models import AuditEntry
from console.models.audit import AuditQuerySet

_PLANS = ("scheduled", "started", "rescheduled", "stopped", "resumed", "canceled", "finished", "taken-over")
_ABOUT_USERS = frozenset(
    {"user.reported-not-me", *(f"plan.{what}" for what in _PLANS)}
)  # events that all see who see the user
_OWN = "operator."  # the beginning of the events of an operator's own account


def sees_all(access: OrgAccess) -> bool:
    return access.allows(Permission.EXPORT_AUDIT)


def visible(access: OrgAccess, rows: AuditQuerySet | None = None) -> AuditQuerySet:
    """Return those of the rows (None: all) that belong to the organization and that this operator may see."""
    found = (AuditEntry.objects.all() if rows is None else rows).filter(organization=access.org)
    found = found.in_populations(access.populations)
    return found if sees_all(access) else found.filter(_of_users() | _own(access))


def sees_addresses(access: OrgAccess) -> bool:
    """Return whether the operator may see from where operators work."""
    return sees_all(access)


def events_for(access: OrgAccess) -> list[str]:
    """Return the events to offer as a filter."""
    return [event for event in EVENTS if sees_all(access) or event in _ABOUT_USERS or event.startswith(_OWN)]


def _of_users() -> Q:
    return Q(subject_kind=AuditEntry.Subject.USER) & ~Q(action__in=EVENTS.keys() - _ABOUT_USERS)


def _own(access: OrgAccess) -> Q:
    kind = AuditEntry.Subject.OPERATOR
    return Q(subject_kind=kind, operator=access.operator, action__startswith=_OWN)
