"""The end of a protection: a mark that one org admin removes alone would be a way around a second person's approval."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from console.access import OrgAccess
from console.approvals import mail
from console.approvals.rules import WEAKER_AFTER, rules_of
from console.protection import marks
from console.protection.marks import Kind


def unmark(
    access: OrgAccess, kind: Kind, target_id: UUID, *, name: str, reason: str, source_address: str
) -> datetime | None:
    """Remove the mark of a user or group. Return when it ends; None: it has.

    Where a second person approves what is done to protected accounts, it ends a day later, as weaker rules begin. All
    org admins are told, and each of them can mark it anew until then.
    """
    if not rules_of(access.org).protected:
        marks.unmark(access, kind, target_id, name=name, reason=reason, source_address=source_address)
        return None
    at = timezone.now() + WEAKER_AFTER
    with transaction.atomic():
        if marks.let_end(access, kind, target_id, at=at, name=name, reason=reason, source_address=source_address):
            mail.protection_ends(access.org, access.operator, kind, target_id, name=name, reason=reason, at=at)
    kept = marks.mark_of(access, kind, target_id)
    return kept.ends_at if kept else None
