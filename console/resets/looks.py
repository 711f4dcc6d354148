"""The worker's looks at the password, 2, 5 and 10 minutes after a code or new password was sent."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.utils import timezone
from django_tasks import task

from console.models import SentReset, Work
from console.resets.sent import LOOKS_AFTER
from console.work.tasks import Kind, look
from pingone_integration import passwords
from pingone_integration.calls.rate_limit import in_background
from pingone_integration.connection.open_api import open_api
from pingone_integration.errors import NotFound, PingOneError

LEASE = timedelta(minutes=1)


def run_due(stopping: Callable[[], bool] = lambda: False) -> int:
    """Look at the passwords that are due, with what is left of the rate for people at pages. Return how many."""
    count = 0
    rows = SentReset.objects.select_related("organization__connection")
    while not stopping() and (row := rows.claim(LEASE)):
        with in_background():
            _look(row)
        count += 1
    return count


def _look(row: SentReset) -> None:
    try:
        changed_at = passwords.state(open_api(row.organization.connection), row.user_id).last_changed_at
    except NotFound:
        row.end(Work.State.CANCELED)
        return
    except PingOneError:
        changed_at = None  # the next look says more
    if changed_at and changed_at > (row.changed_before or row.sent_at):
        row.end(Work.State.DONE, used_at=changed_at, looks=row.looks + 1)
    elif following := _following(row, timezone.now()):
        row.put_back(following, looks=row.looks + 1)
    else:
        row.end(Work.State.DONE, looks=row.looks + 1)  # not used in time


def _following(row: SentReset, now: datetime) -> timedelta | None:
    """Return the time until the next look, or None after the last."""
    return next((row.sent_at + after - now for after in LOOKS_AFTER if row.sent_at + after > now), None)


@task(queue_name="schedule")
def look_at_passwords() -> None:
    look(run_due)


# Nobody waits for a look: it is not late while it is not due.
SENT_RESETS = Kind("sent resets", SentReset.objects.all, SentReset.objects.due, look_at_passwords)
