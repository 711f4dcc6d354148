"""The worker's task for reports that PingOne did not take at once."""

from django_tasks import task

from console.models import NotMeReport
from console.not_me.reports import run_due
from console.work.tasks import Kind, look


@task(queue_name="recovery")
def deal_with_reports() -> None:
    look(run_due)


REPORTS = Kind("not me", NotMeReport.objects.all, NotMeReport.objects.unfinished, deal_with_reports)
