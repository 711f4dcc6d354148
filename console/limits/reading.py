"""The people whom an operator looks at: how many in an hour, and which protected ones, for the record."""

import time
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from django.db import connection
from django.db.models import Field
from django.utils import timezone

from console.access import OrgAccess
from console.audit import entries
from console.audit.entries import Subject
from console.limits.reached import happened
from console.limits.rules import PEOPLE
from console.models import AuditEntry, PersonSeen
from console.protection.why import Protection
from pingone_integration.users import User

AGAIN_S = 300.0  # a process notes the same person no more often
_MOST_KNOWN = 10_000
_noted: dict[tuple[UUID, UUID, UUID], float] = {}  # organization, operator and user: when they are noted again


def looked_at(access: OrgAccess, user_id: UUID) -> None:
    """Count the user among those whom the operator looks at; past the limit, alarm the org admins once an hour.

    One statement for each user and operator in five minutes, and no other unless the limit is passed.
    """
    key, now = (access.org.pk, access.operator.pk, user_id), time.monotonic()
    if _noted.get(key, 0.0) > now:
        return
    if len(_noted) >= _MOST_KNOWN:
        _noted.clear()
    _noted[key] = now + AGAIN_S
    nth, most = _note(*key)
    if nth > most:
        _alarm(access, most)


def protected_page_read(access: OrgAccess, user: User, protection: Protection | None, *, source_address: str) -> None:
    """Record, once an hour for each operator and user, that the page of a protected user was read."""
    if protection is None:
        return
    lately = AuditEntry.objects.filter(organization=access.org, operator=access.operator, subject_id=str(user.id))
    since = timezone.now() - timedelta(hours=1)
    if lately.filter(action="user.protected-page-read", at__gt=since).exists():
        return
    entries.record(
        access.org,
        "user.protected-page-read",
        subject=Subject(
            kind=AuditEntry.Subject.USER, id=user.id, name=user.username, full_name=user.name.whole, email=user.email
        ),
        operator=access.operator,
        source_address=source_address,
        reason=protection.sentence,
    )


def _alarm(access: OrgAccess, most: int) -> None:
    operator, now = access.operator, timezone.now()
    about, free_at = str(operator.pk), now + PEOPLE.window
    if happened(access, PEOPLE, about, name=operator.email, most=most, free_at=free_at, refused=False):
        entries.record(
            access.org,
            "limit.alarm",
            subject=Subject(kind=AuditEntry.Subject.OPERATOR, id=operator.pk, name=operator.email),
            operator=operator,
            inputs={"limit": PEOPLE.key, "most": most},
        )


def _note(organization_id: UUID, operator_id: UUID, user_id: UUID) -> tuple[int, int]:
    """Store that the operator looks at this user now. Return how many users that were in an hour, and the limit."""
    now = timezone.now()
    ids = [_stored("user_id", value) for value in (organization_id, operator_id, user_id)]
    at, since = (_stored("at", moment) for moment in (now, now - PEOPLE.window))
    with connection.cursor() as cursor:
        cursor.execute(_UPSERT, [*ids, at, *ids, since, ids[0], PEOPLE.key])
        nth, own = cursor.fetchone()
    return nth, PEOPLE.most if own is None else own


def _stored(field: str, value: UUID | datetime) -> Any:
    """Return the value as the database stores those of this field."""
    found = PersonSeen._meta.get_field(field)  # noqa: SLF001 - Django documents _meta
    return cast("Field[Any, Any]", found).get_db_prep_value(value, connection)


_UPSERT = """
    INSERT INTO console_personseen (organization_id, operator_id, user_id, at, nth)
    SELECT %s, %s, %s, %s, 1 + COUNT(*)
    FROM console_personseen
    WHERE organization_id = %s AND operator_id = %s AND user_id <> %s AND at > %s
    ON CONFLICT (organization_id, operator_id, user_id) DO UPDATE SET at = excluded.at, nth = excluded.nth
    RETURNING nth, (SELECT most FROM console_limitpolicy AS own WHERE own.organization_id = %s AND own."limit" = %s)
"""
