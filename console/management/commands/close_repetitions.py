"""`manage.py close_repetitions`, run by the worker every minute: add the number of repetitions to their entries."""

from typing import Any

from django.core.management.base import BaseCommand

from console.audit.repeated import close_over


class Command(BaseCommand):
    help = "Add to the audit log how often something was refused again within a minute."

    def handle(self, *args: Any, **options: Any) -> None:
        close_over()
