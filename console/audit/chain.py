"""The hash chain that reveals a changed audit log: each row's hash covers the row and the previous hash."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from console.audit import terms
from console.models import AuditEntry, AuditHead, Organization, ServerAuditHead, UnfinishedEntry
from console.models.audit import FIELDS

FIRST_PREVIOUS_HASH = "0" * 64
COVERED = tuple(name for name in FIELDS if name not in {"id", "hash"})


@dataclass(frozen=True)
class Break:
    """The first place where a chain is broken."""

    sequence: int
    what: str


def append(row: AuditEntry, *, durable: bool, check: Callable[[AuditEntry], None] | None = None) -> AuditEntry:
    """Store an unsaved row at the end of its organization's chain, or of the server's.

    `durable`: the row is committed on return, and calling this inside a transaction is a programming error.
    Otherwise the row is committed or rolled back with the surrounding transaction. `check` may raise to keep the row
    out: it sees every row before, and no other can be added meanwhile.
    """
    with transaction.atomic(durable=durable):
        head = _locked_head(row.organization_id)
        if check:
            check(row)
        now = timezone.now()
        now = now.replace(microsecond=now.microsecond // 1000 * 1000)  # `dumpdata` keeps milliseconds
        row.sequence = head.sequence + 1
        row.previous_hash = head.hash or FIRST_PREVIOUS_HASH
        row.at = max(now, head.at or now)
        row.started_at = row.started_at or row.at
        row.hash = digest(row)
        row.save()
        if row.organization_id:
            _index(row)
        head.sequence, head.hash, head.at = row.sequence, row.hash, row.at
        head.save(update_fields=["sequence", "hash", "at"])
    return row


def _index(row: AuditEntry) -> None:
    """Make the new row findable, by its words and as unfinished. Nobody searches the server's chain."""
    terms.index(row, previous=_previous(row))
    if row.outcome == AuditEntry.Outcome.STARTED:
        UnfinishedEntry.objects.create(organization_id=row.owner_id, entry=row.entry)
    else:
        UnfinishedEntry.objects.filter(entry=row.entry).delete()


def _locked_head(organization_id: UUID | None) -> AuditHead | ServerAuditHead:
    """Lock the end of the chain: PostgreSQL its row until the commit; on SQLite the transaction itself is IMMEDIATE."""
    if organization_id is None:
        return ServerAuditHead.objects.select_for_update().get_or_create(pk=ServerAuditHead.ONLY)[0]
    return AuditHead.objects.select_for_update().get_or_create(organization_id=organization_id)[0]


def digest(row: AuditEntry) -> str:
    """Return the SHA-256 of the row as canonical JSON.

    Empty values are left out, so that a column added later, empty in older rows, keeps their hashes valid.
    """
    values = {name: value for name in COVERED if (value := _plain(getattr(row, name))) not in (None, "", {}, [])}
    return hashlib.sha256(json.dumps(values, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def verify(organization: Organization | None) -> Break | None:
    """Read the whole chain, with rows added during the read. Return the first break, or None if it holds.

    `organization` None: the chain of the server.
    """
    sequence, last_hash = 0, FIRST_PREVIOUS_HASH
    while True:
        rows = AuditEntry.objects.filter(organization=organization, sequence__gt=sequence).order_by("sequence")
        for row in rows.iterator(chunk_size=2000):
            sequence += 1
            if row.sequence != sequence:
                return Break(sequence, "was removed")
            if row.hash != digest(row):
                return Break(sequence, f"was edited or moved (entry {row.entry})")
            if row.previous_hash != last_hash:
                return Break(sequence, f"does not follow the row before it (entry {row.entry})")
            last_hash = row.hash
        head = _head_of(organization)
        known, known_hash = (head.sequence, head.hash) if head else (0, "")
        if known < sequence:
            return Break(known + 1, "was added outside the chain")
        if known == sequence:
            return None if known_hash in {last_hash, ""} else Break(sequence, "was replaced")
        if not rows.filter(sequence__gt=sequence).exists():
            return Break(sequence + 1, f"was removed, with all rows after it up to {known}")


def _head_of(organization: Organization | None) -> AuditHead | ServerAuditHead | None:
    if organization is None:
        return ServerAuditHead.objects.first()
    return AuditHead.objects.filter(organization=organization).first()


def _previous(row: AuditEntry) -> int | None:
    """Return the sequence number of the row before `row` of the same entry, or None if it is the first one."""
    if not row.revision:
        return None
    return AuditEntry.objects.values_list("sequence", flat=True).get(entry=row.entry, revision=row.revision - 1)


def _plain(value: Any) -> Any:
    """Normalize values that databases return differently: times, UUIDs, and floats without a fraction."""
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
