"""The worker's task of crawls, in a queue of its own: one may take an hour."""

from django_tasks import task

from console.crawls.engine import run_due
from console.models import CrawlWork
from console.work.tasks import Kind, look


@task(queue_name="crawls")
def run_crawls() -> None:
    look(run_due)


CRAWLS = Kind("crawl", CrawlWork.objects.all, CrawlWork.objects.due, run_crawls)
