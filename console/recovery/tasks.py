"""The worker's task of recovery, and the rows that wake it."""

from django_tasks import task

from console.models import RecoveryAttempt
from console.recovery.look_up import run_due
from console.work.tasks import Kind, look


@task(queue_name="recovery")
def look_up_attempts() -> None:
    look(run_due)


ATTEMPTS = Kind("recovery", RecoveryAttempt.objects.all, RecoveryAttempt.objects.unfinished, look_up_attempts)
