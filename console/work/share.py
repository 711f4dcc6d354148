"""The part of the calls to PingOne that jobs take: nearly all while nobody of the organization is at work."""

import time
from collections.abc import Callable
from datetime import timedelta

from allauth.usersessions.models import UserSession
from django.utils import timezone

from console.models import Organization
from pingone_integration.calls.rate_limit import ALL_BUT_A_RESERVE, HALF

AT_WORK_FOR = timedelta(minutes=2)  # after the last page; a session notes one a minute
ASKED_EVERY_S = 1.0


def percent_for(organization: Organization) -> int:
    sessions = UserSession.objects.filter(last_seen_at__gt=timezone.now() - AT_WORK_FOR)
    is_at_work = sessions.filter(user__memberships__organization=organization).exists()
    return HALF if is_at_work else ALL_BUT_A_RESERVE


def percent_of(organization: Organization) -> Callable[[], int]:
    """Return `percent_for` as a function that asks the database once a second."""
    known, ask_at = HALF, 0.0

    def percent() -> int:
        nonlocal known, ask_at
        if time.monotonic() >= ask_at:
            known, ask_at = percent_for(organization), time.monotonic() + ASKED_EVERY_S
        return known

    return percent
