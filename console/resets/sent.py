"""Recovery codes and new passwords that operators send: each is kept, so that the worker looks whether it was used."""

import logging
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from console.actions.affected import Affected
from console.audit.entries import Outcome
from console.models import AuditEntry, Operator, Organization, SentReset, Work
from console.user_mails.events import PASSWORD_CHANGE_FORCED, PASSWORD_RESET
from pingone_integration.users import User

logger = logging.getLogger(__name__)

SHOWN_FOR = timedelta(hours=2)
MOST_SHOWN = 8
LOOKS_AFTER = (timedelta(minutes=2), timedelta(minutes=5), timedelta(minutes=10))
_LOOKED_BY = LOOKS_AFTER[-1] + timedelta(minutes=5)  # later than the last look, unless no worker runs


def keep(affected: Affected, entry: AuditEntry, user: User | None) -> None:
    """Keep what the operation of this closed entry sent to the user, if it sent anything. Raises nothing."""
    operator = entry.operator
    if user is None or operator is None or entry.outcome != Outcome.SUCCEEDED or not _sends(affected, entry):
        return
    try:
        with transaction.atomic():
            _keep(entry, operator, user)
    except Exception:
        logger.exception("Nobody looks whether %s was used", entry.entry)


def sent_by(operator_id: UUID, organization: Organization, populations: frozenset[UUID] | None) -> list[SentReset]:
    """Return what the operator sent lately, the latest first; of these populations only, None: of all."""
    rows = SentReset.objects.filter(
        operator_id=operator_id, organization=organization, sent_at__gt=timezone.now() - SHOWN_FOR
    ).exclude(state=Work.State.CANCELED)
    if populations is not None:
        rows = rows.filter(population_id__in=populations)
    return list(rows.order_by("-sent_at")[:MOST_SHOWN])


def is_watched(state: str, sent_at: datetime) -> bool:
    """Return whether the worker still looks. Without a worker, that ends, too: no page asks for ever."""
    return state in {Work.State.WAITING, Work.State.RUNNING} and sent_at > timezone.now() - _LOOKED_BY


def _sends(affected: Affected, entry: AuditEntry) -> bool:
    """Return whether the user has to do something with it now. A request with Call API may set a final password."""
    is_code = affected.recovers_by_email and affected.tells is None
    is_action = entry.subject_kind == AuditEntry.Subject.USER
    return is_code or (is_action and affected.tells in {PASSWORD_RESET, PASSWORD_CHANGE_FORCED})


def _keep(entry: AuditEntry, operator: Operator, user: User) -> None:
    earlier = SentReset.objects.filter(organization_id=entry.owner_id, user_id=user.id)
    earlier.filter(used_at=None).update(state=Work.State.CANCELED)
    SentReset.objects.create(
        organization_id=entry.owner_id,
        operator=operator,
        user_id=user.id,
        username=user.username[:500],
        population_id=user.population_id,
        entry=entry.entry,
        action=entry.action,
        sent_at=entry.at,
        changed_before=parse_datetime(str((entry.after or {}).get("password_changed_at") or "")),
        due_at=entry.at + LOOKS_AFTER[0],
    )
