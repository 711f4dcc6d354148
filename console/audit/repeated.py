"""Events that somebody can repeat at will, such as refusals: each minute the first is an entry, further ones a number.

The first of a person, door and minute is recorded at once. Further ones are counted beside the chain, and close the
entry as its second row: once the minute is over, by the worker or by the next such event.
"""

import hashlib
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from console.audit import entries
from console.audit.entries import Outcome
from console.models import AuditEntry, Operator, Organization, Repetition

_AT_ONCE = 100  # repetitions closed in one go


def record(organization: Organization | None, event: str, *, door: str, operator: Operator | None, **more: Any) -> None:
    """Record an event as `entries.record`, but only count it if this person was at this door in this minute before."""
    person = operator.pk if operator else ""
    key = hashlib.sha256(f"{organization and organization.pk} {person} {event} {door}".encode()).hexdigest()
    with transaction.atomic():
        # PostgreSQL locks the row until the commit; on SQLite the transaction itself is IMMEDIATE.
        row, is_first = Repetition.objects.select_for_update().get_or_create(
            key=key, minute=_this_minute(), defaults={"organization": organization}
        )
        this = Repetition.objects.filter(pk=row.pk)
        if is_first:
            this.update(entry=entries.record(organization, event, operator=operator, **more).entry)
        else:
            this.update(times=F("times") + 1)
    if is_first:
        close_over()


def close_over() -> None:
    """Add their number to the entries of minutes that are over."""
    over = Repetition.objects.filter(minute__lt=_this_minute()).order_by("minute")
    for pk in list(over.values_list("pk", flat=True)[:_AT_ONCE]):
        with transaction.atomic():
            row = Repetition.objects.select_for_update().filter(pk=pk).first()
            if row is None:
                continue  # somebody else has closed it
            if row.times > 1 and row.entry:
                first = AuditEntry.objects.get(entry=row.entry, revision=0)
                entries.close(
                    first, Outcome(first.outcome), note=f"{row.times} times within this minute.", durable=False
                )
            row.delete()


def _this_minute() -> datetime:
    return timezone.now().replace(second=0, microsecond=0)
