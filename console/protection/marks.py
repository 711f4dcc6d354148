"""Marks of org admins: users and groups that are protected like PingOne administrators. Each change is on record."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from console.access import OrgAccess
from console.audit import entries
from console.audit.entries import Subject
from console.models import AuditEntry, ProtectedMark
from console.protection.facts import in_force

Kind = ProtectedMark.Kind

_SUBJECTS = {Kind.USER: AuditEntry.Subject.USER, Kind.GROUP: AuditEntry.Subject.GROUP}


def mark_of(access: OrgAccess, kind: Kind, target_id: UUID) -> ProtectedMark | None:
    return _marks(access, kind, target_id).select_related("marked_by").first()


def mark(access: OrgAccess, kind: Kind, target_id: UUID, *, name: str, reason: str, source_address: str) -> None:
    """Mark a user or group. A second mark changes nothing but an end of the first. Only org admins do."""
    access.require_org_admin()
    with transaction.atomic():
        ProtectedMark.objects.filter(organization=access.org, ends_at__lte=timezone.now()).delete()
        _, is_new = ProtectedMark.objects.get_or_create(
            organization=access.org,
            kind=kind,
            target_id=target_id,
            defaults={"name": name[:300], "reason": reason, "marked_by": access.operator},
        )
        if is_new or _marks(access, kind, target_id).exclude(ends_at=None).update(ends_at=None):
            subject = Subject(kind=_SUBJECTS[kind], id=target_id, name=name)
            _record(access, "protection.marked", subject, reason, source_address)


def unmark(access: OrgAccess, kind: Kind, target_id: UUID, *, name: str, reason: str, source_address: str) -> None:
    """Remove the mark of a user or group. Only org admins do."""
    access.require_org_admin()
    with transaction.atomic():
        deleted, _by_model = _marks(access, kind, target_id).delete()
        if deleted:
            subject = Subject(kind=_SUBJECTS[kind], id=target_id, name=name)
            _record(access, "protection.unmarked", subject, reason, source_address)


def let_end(
    access: OrgAccess, kind: Kind, target_id: UUID, *, at: datetime, name: str, reason: str, source_address: str
) -> bool:
    """Let a mark protect until this time, and return whether it was to stay. Only org admins do."""
    access.require_org_admin()
    with transaction.atomic():
        if not _marks(access, kind, target_id).filter(ends_at=None).update(ends_at=at):
            return False
        subject = Subject(kind=_SUBJECTS[kind], id=target_id, name=name)
        _record(access, "protection.to-end", subject, reason, source_address)
    return True


def _marks(access: OrgAccess, kind: Kind, target_id: UUID) -> QuerySet[ProtectedMark]:
    of_target = ProtectedMark.objects.filter(organization=access.org, kind=kind, target_id=target_id)
    return of_target.filter(in_force(timezone.now()))


def _record(access: OrgAccess, event: str, subject: Subject, reason: str, source_address: str) -> None:
    entries.record(
        access.org,
        event,
        subject=subject,
        operator=access.operator,
        source_address=source_address,
        reason=reason,
    )
