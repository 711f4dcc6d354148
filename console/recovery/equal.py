"""What an attempt takes over from an equal one of a moment ago: one in which the same was typed.

What is taken over is as old as the answer that PingOne gave, so that no flood keeps it alive.
"""

from datetime import datetime, timedelta
from typing import TypeAlias
from uuid import UUID

from django.db.models import QuerySet

from console.models import RecoveryAttempt

JOINED_FOR = timedelta(seconds=60)

Stop: TypeAlias = RecoveryAttempt.Stop

# Of the user alone, wherever the attempt comes from, and without an email.
_OF_USER = (
    Stop.LOCK_DOWN,
    Stop.OFF,
    Stop.DISABLED,
    Stop.PROTECTED,
    Stop.NO_ADDRESS,
    Stop.UNVERIFIED,
    Stop.NEW_CONTACT,
)


def join(attempt: RecoveryAttempt, now: datetime) -> RecoveryAttempt | None:
    """Let an attempt share the email of an equal one from the same network and browser. Return that one, if any."""
    if attempt.asked_again:
        return None
    same = _lately(attempt, now).filter(
        network=attempt.network, browser=attempt.browser, step=RecoveryAttempt.Step.CODE
    )
    first = same.exclude(pk=attempt.pk).order_by("looked_at").first()
    if first:
        _take_over(attempt, first)
        attempt.address_hash, attempt.seen, attempt.code_seed = first.address_hash, first.seen, first.code_seed
    return first


def refusal(attempt: RecoveryAttempt, now: datetime) -> RecoveryAttempt | None:
    """Return the equal attempt, from any network, whose user could not recover, if any.

    So a flood costs no calls for them. An operator who releases the user lets PingOne be asked anew.
    """
    same = _lately(attempt, now).filter(stop__in=_OF_USER, is_released=False).exclude(pk=attempt.pk)
    first = same.order_by("looked_at").first()
    if first:
        _take_over(attempt, first)
    return first


def candidate_of(attempt: RecoveryAttempt, now: datetime) -> UUID | None:
    """Return the user whom this attempt, or an equal one, was found to be about."""
    found = _lately(attempt, now).filter(candidate__isnull=False).values_list("candidate", flat=True)
    return attempt.candidate or found.first()


def _lately(attempt: RecoveryAttempt, now: datetime) -> QuerySet[RecoveryAttempt]:
    same = RecoveryAttempt.objects.filter(organization=attempt.organization, typed_hash=attempt.typed_hash)
    return same.filter(looked_at__gt=now - JOINED_FOR)


def _take_over(attempt: RecoveryAttempt, other: RecoveryAttempt) -> None:
    attempt.candidate, attempt.candidate_population = other.candidate, other.candidate_population
    attempt.username, attempt.needs_device = other.username, other.needs_device
