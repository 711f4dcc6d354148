"""The claim of an undo on the entry that it undoes: of several undos at once, only one runs.

A claim ends when its undo failed or was refused. It stays if the undo took effect or its outcome is unknown, and is
taken over from a process that died.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from console.audit.entries import Outcome
from console.models import AuditEntry, UndoClaim
from console.models.audit import LONGEST_RUN

_WITHOUT_EFFECT = {Outcome.REFUSED, Outcome.CONFLICT, Outcome.FAILED}


@contextmanager
def claimed(entry: AuditEntry, submission: UUID) -> Iterator[UUID]:
    """Claim the entry for the undo of this submission, if no other undo holds it. Yield the submission that holds it.

    No transaction may be open: others see the claim at once.
    """
    holder = _claim(entry, submission)
    try:
        yield holder
    finally:
        if holder == submission and is_over(_undo_by(entry, submission)):
            UndoClaim.objects.filter(undone=entry.entry, submission=submission).delete()


def is_over(undo: AuditEntry | None) -> bool:
    """Return whether an undo (its latest row, None if it wrote none) has no effect and never will."""
    return undo is None or undo.outcome in _WITHOUT_EFFECT or undo.has_died


def _claim(entry: AuditEntry, submission: UUID) -> UUID:
    now = timezone.now()
    with transaction.atomic(durable=True):
        # PostgreSQL locks the row until the commit; on SQLite the transaction itself is IMMEDIATE.
        claim, is_new = UndoClaim.objects.select_for_update().get_or_create(
            undone=entry.entry,
            defaults={"organization_id": entry.owner_id, "submission": submission, "at": now},
        )
        undo = None if is_new else _undo_by(entry, claim.submission)
        is_starting = not is_new and undo is None and claim.at > now - LONGEST_RUN
        if not is_new and not is_starting and is_over(undo):
            claim.submission, claim.at = submission, now
            claim.save()
    return claim.submission


def _undo_by(entry: AuditEntry, submission: UUID) -> AuditEntry | None:
    """Return the latest row of the undo, or None before its first row."""
    rows = AuditEntry.objects.filter(organization_id=entry.owner_id)
    first = rows.filter(submission=submission).first()
    return rows.filter(entry=first.entry).order_by("revision").last() if first else None
