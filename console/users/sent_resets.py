"""What an operator sent to users lately, for their first page: whether it was used, and the way to send it again."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from console.access import OrgAccess, Permission
from console.actions.buttons import Button, button
from console.actions.catalogue import BY_KEY
from console.audit.entries import Outcome
from console.limits.rules import BY_LIMIT, Kind, actions_of
from console.models import AuditEntry, LimitPolicy, SentReset
from console.resets.sent import is_watched, sent_by
from pingone_integration.texts import Text

CODES = BY_LIMIT["codes"]
SEND = BY_KEY["password.send-recovery-code"]


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A code or new password that the operator sent."""

    row: SentReset
    what: Text
    codes: int  # to this user in this hour, of at most `most`
    most: int
    again: Button | None  # None: it was used, or no other code can be sent now


@dataclass(frozen=True, kw_only=True)
class SentLately:
    """The card of the first page. It asks again while `is_watched`, with its `mark`."""

    each: list[Sent]
    is_watched: bool
    mark: str


def rows_of(access: OrgAccess) -> list[SentReset]:
    """Return what the operator sent lately, if they may send codes. One query."""
    if not (access.may(SEND) and access.allows(Permission.VIEW_USERS)):
        return []
    return sent_by(access.operator.pk, access.org, access.populations)


def mark_of(rows: Iterable[SentReset]) -> str:
    """Return a text that differs once there is something else to tell of them."""
    told = [(str(row.entry), str(row.used_at), is_watched(row.state, row.sent_at)) for row in rows]
    return sha256(repr(told).encode()).hexdigest()[:12]


def sent_lately(access: OrgAccess, rows: list[SentReset]) -> SentLately:
    """Add to each row what it is called, and the button for another code. Two queries, if one may be sent."""
    unused = {row.user_id for row in rows if row.used_at is None and _is_code(row)}
    codes, most = _codes_to(access, unused) if unused else ({}, CODES.most)
    return SentLately(
        each=[
            Sent(
                row=row,
                what=BY_KEY[row.action].done if row.action in BY_KEY else _("API request"),
                codes=codes.get(row.user_id, 0),
                most=most,
                again=button(access, row.user_id, SEND) if 0 < codes.get(row.user_id, 0) < most else None,
            )
            for row in rows
        ],
        is_watched=any(is_watched(row.state, row.sent_at) for row in rows),
        mark=mark_of(rows),
    )


def _is_code(row: SentReset) -> bool:
    return row.action == SEND.key or row.action not in BY_KEY


def _codes_to(access: OrgAccess, users: Iterable[UUID]) -> tuple[dict[UUID, int], int]:
    """Return how many codes were sent to each user within the hour, by whomever, and how many may be."""
    rows = AuditEntry.objects.filter(
        organization=access.org,
        subject_id__in=[str(user) for user in users],
        started_at__gt=timezone.now() - CODES.window,
        action__in=actions_of(Kind.CODE),
        outcome__in=(Outcome.SUCCEEDED, Outcome.UNKNOWN),
    )
    counted = rows.order_by().values_list("subject_id").annotate(n=Count("entry", distinct=True))
    own = LimitPolicy.objects.filter(organization=access.org, limit=CODES.key).values_list("most", flat=True).first()
    return {UUID(user): number for user, number in counted}, CODES.most if own is None else own
