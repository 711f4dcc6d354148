"""The worker's task of jobs, and the rows that wake it."""

from django_tasks import task

from console.jobs.runner import run_due
from console.models import JobWork
from console.work.tasks import Kind, look


@task(queue_name="jobs")
def run_jobs() -> None:
    look(run_due)


JOBS = Kind("job", JobWork.objects.all, JobWork.objects.due, run_jobs)
