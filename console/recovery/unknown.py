"""Attempts with a name that nobody has. They are ended together: a flood of them costs the worker next to nothing.

Those of servers without mail are left out, because an answer may wait in them.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Case, DateTimeField, Exists, F, OuterRef, QuerySet, Subquery, Value, When

from console.models import RecoveryAttempt, Work
from console.recovery.attempts import CODE_LASTS, ROUNDED_TO
from console.recovery.search import Found

UNKNOWN_FOR = timedelta(minutes=5)  # PingOne is not asked again for so long
_SPANS = 5  # longer than anybody waits


def unknown_since(attempt: RecoveryAttempt, now: datetime) -> datetime | None:
    """Return when PingOne had no user for what was typed in an equal attempt, if that was lately."""
    same = RecoveryAttempt.objects.filter(organization=attempt.organization_id, typed_hash=attempt.typed_hash)
    return _lately(same.exclude(pk=attempt.pk), now).values_list("looked_at", flat=True).first()


def end_known(wanted_since: datetime, now: datetime) -> int:
    """End what equals an attempt for which PingOne had no user lately. Return how many that were."""
    same = RecoveryAttempt.objects.filter(organization=OuterRef("organization"), typed_hash=OuterRef("typed_hash"))
    before = _lately(same, now).order_by("looked_at")
    rows = _waiting(wanted_since).filter(Exists(before))
    return _end(rows, now, looked_at=Subquery(before.values("looked_at")[:1]))


def end_found(found: Found, wanted_since: datetime, now: datetime) -> int:
    """End what was searched for and is nobody. Return how many attempts that were."""
    by_organization: dict[UUID, list[str]] = {}
    for (organization_id, typed_hash), users in found.items():
        if not users:
            by_organization.setdefault(organization_id, []).append(typed_hash)
    return sum(
        _end(_waiting(wanted_since).filter(organization=organization_id, typed_hash__in=hashes), now, looked_at=now)
        for organization_id, hashes in by_organization.items()
    )


def _lately(rows: QuerySet[RecoveryAttempt], now: datetime) -> QuerySet[RecoveryAttempt]:
    return rows.filter(stop=RecoveryAttempt.Stop.UNKNOWN, looked_at__gt=now - UNKNOWN_FOR)


def _waiting(wanted_since: datetime) -> QuerySet[RecoveryAttempt]:
    """Return the attempts that were not looked up yet, and for which somebody still waits."""
    rows = RecoveryAttempt.objects.due().filter(state=Work.State.WAITING, wanted_at__gt=wanted_since)
    return rows.filter(candidate=None, by_pingone=False).exclude(sealed_typed="")


def _end(rows: QuerySet[RecoveryAttempt], now: datetime, **changes: Any) -> int:
    return rows.update(
        state=Work.State.DONE,
        stop=RecoveryAttempt.Stop.UNKNOWN,
        sealed_typed="",
        code_expires_at=_expires_at(now),
        **changes,
    )


def _expires_at(now: datetime) -> Case:
    """Return what `attempts.expires_at` does for each row."""
    spans = [ROUNDED_TO * number for number in range(1, _SPANS + 1)]
    each = [When(asked_at__gte=now - span, then=F("asked_at") + Value(span + CODE_LASTS)) for span in spans]
    return Case(*each, default=Value(now + CODE_LASTS), output_field=DateTimeField())
