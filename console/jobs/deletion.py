"""The deletion of jobs, with their rows and all that they tell of people. The audit log keeps its entries."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from console.models import Job, JobRow, PeopleList
from console.models.people_lists import UNUSED_FOR


def due() -> datetime:
    """Return when a job that is over now is deleted."""
    return timezone.now() + timedelta(days=settings.JOBS_KEPT_DAYS)


def clear(now: datetime) -> None:
    """Delete jobs whose time is over: since they ended, or since they were made, if they do not run.

    A list of which no job was made is deleted after a day.
    """
    left = Q(delete_after=None, created_at__lt=now - timedelta(days=settings.JOBS_KEPT_DAYS))
    over = Job.objects.filter(Q(delete_after__lt=now) | left).exclude(state=Job.State.RUNNING)
    for job in over:
        JobRow.objects.filter(job=job).delete()
        job.delete()
    PeopleList.objects.filter(job=None, created_at__lt=now - UNUSED_FOR).delete()
