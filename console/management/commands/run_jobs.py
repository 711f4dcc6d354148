"""`manage.py run_jobs`, run by the worker: make previews and run jobs that are due."""

from typing import Any

from django.core.management.base import BaseCommand

from console.jobs.runner import run_due
from console.work.tasks import stopping


class Command(BaseCommand):
    help = "Make the previews of jobs and run their rows, until nothing is due."

    def handle(self, *args: Any, **options: Any) -> None:
        run_due(lambda: stopping.requested)
        self.stdout.write("Done.")
