"""The limits of jobs: how many rows one may have, and how many of an operator's rows may run in a day.

Those of people by the hour do not count rows of jobs; the brake on mass change counts both.
"""

from datetime import timedelta

from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.access import OrgAccess
from console.limits.rules import ROWS_OF_A_DAY, ROWS_OF_A_JOB, Limit
from console.models import JobRow, LimitPolicy
from pingone_integration.texts import Text


class TooManyRows(Exception):
    """A job with more rows than the operator's role allows."""

    def __init__(self, reason: Text) -> None:
        super().__init__(reason)
        self.reason = reason


def require_size(access: OrgAccess, count: int) -> None:
    """Raise TooManyRows if a job of this operator may not have so many rows."""
    most = _most(access, ROWS_OF_A_JOB)
    if count > most:
        raise TooManyRows(format_lazy(_("Your role may start jobs of at most {most} rows."), most=most))


def left_today(access: OrgAccess) -> int:
    """Return how many more rows of this operator's jobs may run now, within 24 hours."""
    return max(0, _most(access, ROWS_OF_A_DAY) - _run_lately(access))


def _run_lately(access: OrgAccess) -> int:
    lately = timezone.now() - timedelta(days=1)
    rows = JobRow.objects.filter(job__organization=access.org, job__starter=access.operator)
    return rows.filter(reached_at__gt=lately).count()


def _most(access: OrgAccess, limits: dict[str, Limit]) -> int:
    """Return the value for the operator's role; a role of the organization's own has that of its base."""
    role = access.membership.role
    limit = limits.get(role) or limits[""]
    own = LimitPolicy.objects.filter(organization=access.org, limit=limit.key).values_list("most", flat=True).first()
    return limit.most if own is None else own
