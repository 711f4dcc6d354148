"""`manage.py clear_finished_work`, run by the worker every day: delete the rows of what is over."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand
from django.db.models import Q
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from console.approvals.requests import clear as clear_approvals
from console.jobs.deletion import clear as clear_jobs
from console.models import (
    NotMeLink,
    NotMeReport,
    OutgoingEmail,
    PersonSeen,
    PlanRun,
    ReachedLimit,
    RecoveryAttempt,
    SentReset,
    Work,
)
from console.operators import sign_in_limits

EMAILS_FOR = timedelta(days=30)
ATTEMPTS_FOR = timedelta(days=90)  # the record keeps what they did
REPORTS_FOR = timedelta(days=30)  # or as long as the account is locked by it
RESETS_FOR = timedelta(days=1)
TASKS_FOR = timedelta(days=1)
LIMITS_FOR = timedelta(days=2)  # longer than any of their windows


class Command(BaseCommand):
    help = (
        "Delete the rows of emails after 30 days (their texts are erased long before), of attempts to recover an "
        "account after 90 days, of links and reports 'this was not me' and of sent codes that are over, of jobs that "
        "have been over for JOBS_KEPT_DAYS, of runs of plans that ended 30 days ago, of requests for approval after "
        "30 days, "
        "of old tasks of the queue, of ended counts of sign-ins and of used "
        "one-time codes that are no longer valid."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        over = OutgoingEmail.objects.exclude(state__in=(Work.State.WAITING, Work.State.RUNNING))
        over.filter(wanted_at__lt=now - EMAILS_FOR).delete()
        # Also those that were running: their worker was killed, and the clock put them into the queue again.
        DBTaskResult.objects.filter(enqueued_at__lt=now - TASKS_FOR).delete()
        sign_in_limits.clear_old()
        RecoveryAttempt.objects.filter(started_at__lt=now - ATTEMPTS_FOR).delete()
        old = NotMeReport.objects.filter(state=Work.State.DONE, wanted_at__lt=now - REPORTS_FOR)
        old.filter(Q(locks_until=None) | Q(locks_until__lt=now)).delete()
        NotMeLink.objects.filter(expires_at__lt=now, report=None).delete()
        SentReset.objects.filter(sent_at__lt=now - RESETS_FOR).delete()
        PersonSeen.objects.filter(at__lt=now - timedelta(hours=1)).delete()
        ReachedLimit.objects.filter(reached_at__lt=now - LIMITS_FOR).delete()
        PlanRun.objects.filter(delete_after__lt=now).delete()
        clear_jobs(now)
        clear_approvals(now)
        self.stdout.write("Cleared.")
