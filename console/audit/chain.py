"""The chain that makes a change to the audit log visible: each row's hash covers the row and the hash before it."""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from console.models import AuditEntry, AuditHead, Organization, UnfinishedEntry
from console.models.audit import FIELDS

FIRST_PREVIOUS_HASH = "0" * 64
COVERED = tuple(name for name in FIELDS if name not in {"id", "hash"})


@dataclass(frozen=True)
class Break:
    """The first place where a chain does not hold."""

    sequence: int
    what: str


def append(row: AuditEntry, *, durable: bool) -> AuditEntry:
    """Give an unsaved row its place at the end of its organization's chain, and store it.

    `durable`: it is committed when this returns, and calling it inside a transaction is a programming error.
    Otherwise it stands or falls with the transaction around it.
    """
    with transaction.atomic(durable=durable):
        # PostgreSQL locks the head's row until the commit; on SQLite the transaction itself is IMMEDIATE.
        head, _ = AuditHead.objects.select_for_update().get_or_create(organization_id=row.organization_id)
        now = timezone.now()
        now = now.replace(microsecond=now.microsecond // 1000 * 1000)  # as much of a time as `dumpdata` keeps
        row.sequence = head.sequence + 1
        row.previous_hash = head.hash or FIRST_PREVIOUS_HASH
        row.at = max(now, head.at or now)
        row.started_at = row.started_at or row.at
        row.hash = digest(row)
        row.save()
        if row.outcome == AuditEntry.Outcome.STARTED:
            UnfinishedEntry.objects.create(organization_id=row.organization_id, entry=row.entry)
        else:
            UnfinishedEntry.objects.filter(entry=row.entry).delete()
        AuditHead.objects.filter(pk=head.pk).update(sequence=row.sequence, hash=row.hash, at=row.at)
    return row


def digest(row: AuditEntry) -> str:
    """SHA-256 over the row as canonical JSON.

    What is empty is left out, so that a column added later, empty in older rows, leaves their hashes true.
    """
    values = {name: value for name in COVERED if (value := _plain(getattr(row, name))) not in (None, "", {}, [])}
    return hashlib.sha256(json.dumps(values, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def verify(organization: Organization) -> Break | None:
    """Read the whole chain, in order; None when it holds. Rows added meanwhile are read as well."""
    sequence, last_hash = 0, FIRST_PREVIOUS_HASH
    while True:
        rows = AuditEntry.objects.filter(organization=organization, sequence__gt=sequence).order_by("sequence")
        for row in rows.iterator(chunk_size=2000):
            sequence += 1
            if row.sequence != sequence:
                return Break(sequence, "was removed")
            if row.hash != digest(row):
                return Break(sequence, f"was edited or moved here from another place (entry {row.entry})")
            if row.previous_hash != last_hash:
                return Break(sequence, f"does not follow from the one before it (entry {row.entry})")
            last_hash = row.hash
        head = AuditHead.objects.filter(organization=organization).first()
        known, known_hash = (head.sequence, head.hash) if head else (0, "")
        if known < sequence:
            return Break(known + 1, "was added without its place in the record")
        if known == sequence:
            return None if known_hash in {last_hash, ""} else Break(sequence, "was replaced")
        if not rows.filter(sequence__gt=sequence).exists():
            return Break(sequence + 1, f"was removed, with all after it up to {known}")


def _plain(value: Any) -> Any:
    """One spelling for what databases give back differently: times, ids, and numbers without a fraction."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
