"""Counting from the record what happened lately, while no other row can be added (see audit/chain.py, append).

What counts is an entry that succeeded, may have succeeded, or still runs. A refused or failed attempt, one that changed
nothing and a double-submit do not count.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.audit.api_requests import ACTION as CALL_API
from console.limits.rules import LIMITS, Limit, Scope, actions_of, kinds_of, user_of
from console.models import AuditEntry, LimitPolicy, Operator, ReachedLimit
from pingone_integration.texts import Text

_COUNTS = {AuditEntry.Outcome.STARTED, AuditEntry.Outcome.SUCCEEDED, AuditEntry.Outcome.UNKNOWN}


@dataclass(frozen=True, kw_only=True)
class Counted:
    """An entry that counts towards a limit."""

    started_at: datetime
    operator_id: UUID | None


class LimitReached(Exception):
    """An action that a limit refuses."""

    def __init__(self, limit: Limit, *, about: str, most: int, free_at: datetime) -> None:
        super().__init__(limit.key)
        self.limit, self.about, self.most, self.free_at = limit, about, most, free_at

    @property
    def reason(self) -> Text:
        again = _("{limit} This is possible again on {date} at {time} UTC, or once an org admin lifts the limit.")
        told = self.limit.told(self.most)
        return format_lazy(again, limit=told, date=f"{self.free_at:%Y-%m-%d}", time=f"{self.free_at:%H:%M}")


_BRAKED_INSTEAD = (AuditEntry.Channel.JOB, AuditEntry.Channel.RULE)


def check(row: AuditEntry) -> None:
    """Raise LimitReached if the action of this row, which is not stored yet, is one too many.

    Rows of jobs have limits of their own (console/jobs/limits.py), and both they and rules the brake (brake.py).
    """
    if row.channel in _BRAKED_INSTEAD:
        return
    kinds = kinds_of(row.action, row.inputs)
    limits = [limit for limit in LIMITS if limit.kind in kinds]
    if not limits or row.organization_id is None:
        return
    own = dict(LimitPolicy.objects.filter(organization_id=row.organization_id).values_list("limit", "most"))
    for limit in limits:
        about = _about(limit, row)
        if about is None:
            continue
        most = own.get(limit.key, limit.most)
        found = sorted(one.started_at for one in counted(row.organization_id, limit, about))
        if len(found) >= most:
            free_at = found[len(found) - most] if most else timezone.now()
            raise LimitReached(limit, about=about, most=most, free_at=free_at + limit.window)


def counted(organization_id: UUID, limit: Limit, about: str) -> list[Counted]:
    """Return what counts towards the limit now: since its window began, or since it was lifted."""
    since = timezone.now() - limit.window
    reached = ReachedLimit.objects.filter(organization_id=organization_id, limit=limit.key, about=about)
    if lifted_at := reached.values_list("lifted_at", flat=True).first():
        since = max(since, lifted_at)
    rows = AuditEntry.objects.filter(organization_id=organization_id)
    first = rows.filter(at__gt=since).order_by("at", "sequence").values_list("sequence", flat=True).first()
    if first is None or limit.kind is None:
        return []
    latest: dict[UUID, AuditEntry] = {}
    lately = rows.filter(sequence__gte=first, started_at__gt=since)  # a range of an index
    lately = lately.exclude(channel__in=_BRAKED_INSTEAD)
    for part in _where(limit, about):
        fields = ("entry", "revision", "outcome", "action", "inputs", "subject_id", "started_at", "operator_id")
        for row in lately.filter(part).only(*fields).order_by("revision"):
            if limit.kind in kinds_of(row.action, row.inputs) and about == _about(limit, row):
                latest[row.entry] = row
    return [
        Counted(started_at=row.started_at, operator_id=row.operator_id)
        for row in latest.values()
        if row.outcome in _COUNTS
    ]


def _where(limit: Limit, about: str) -> Iterable[Q]:
    """Return the rows to look at, each condition by one index. A request with Call API has no subject."""
    keys = actions_of(limit.kind) if limit.kind else []
    match limit.scope:
        case Scope.OPERATOR:
            return [Q(operator_id=about, action__in=keys)]
        case Scope.USER:
            return [Q(subject_id=about, action__in=keys), Q(action=CALL_API)]
        case Scope.ORGANIZATION:
            return [Q(action__in=keys)]


def _about(limit: Limit, row: Any) -> str | None:
    """Return the ID by which the row is counted, or None if the limit does not concern it."""
    match limit.scope:
        case Scope.OPERATOR:
            return str(row.operator_id) if row.operator_id else None  # None: the user themself
        case Scope.USER:
            return user_of(row.action, row.inputs, row.subject_id) or None
        case Scope.ORGANIZATION:
            return ""


def name_of(limit: Limit, about: str, *, subject_name: str) -> str:
    """Return the name of the user or operator whom the limit is about, "" for the organization."""
    if limit.scope is Scope.OPERATOR:
        return Operator.objects.filter(pk=about).values_list("email", flat=True).first() or ""
    return subject_name if limit.scope is Scope.USER else ""
