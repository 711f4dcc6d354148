"""Marks of org admins: users and groups that are protected like PingOne administrators. Each change is on record."""

from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from console.access import OrgAccess
from console.audit import entries
from console.audit.entries import Subject
from console.models import AuditEntry, ProtectedMark

Kind = ProtectedMark.Kind

_SUBJECTS = {Kind.USER: AuditEntry.Subject.USER, Kind.GROUP: AuditEntry.Subject.GROUP}


def mark_of(access: OrgAccess, kind: Kind, target_id: UUID) -> ProtectedMark | None:
    return _marks(access, kind, target_id).select_related("marked_by").first()


def mark(access: OrgAccess, kind: Kind, target_id: UUID, *, name: str, reason: str, source_address: str) -> None:
    """Mark a user or group. A second mark changes nothing. Only org admins do."""
    access.require_org_admin()
    with transaction.atomic():
        _, is_new = ProtectedMark.objects.get_or_create(
            organization=access.org,
            kind=kind,
            target_id=target_id,
            defaults={"name": name[:300], "reason": reason, "marked_by": access.operator},
        )
        if is_new:
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


def _marks(access: OrgAccess, kind: Kind, target_id: UUID) -> QuerySet[ProtectedMark]:
    return ProtectedMark.objects.filter(organization=access.org, kind=kind, target_id=target_id)


def _record(access: OrgAccess, event: str, subject: Subject, reason: str, source_address: str) -> None:
    entries.record(
        access.org,
        event,
        subject=subject,
        operator=access.operator,
        source_address=source_address,
        reason=reason,
    )
