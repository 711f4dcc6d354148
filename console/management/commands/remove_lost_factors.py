"""`manage.py remove_lost_factors`: the resets of second factors whose delay is over. The worker runs it."""

from typing import Any

from django.core.management.base import BaseCommand

from console.operators import lost_factor


class Command(BaseCommand):
    help = "Remove the second factors that org admins reset, once their owners have had time to stop it."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"Removed the second factors of {lost_factor.remove_due()} operators.")
