"""`manage.py end_sessions`: sign an operator out everywhere, whatever organizations their account belongs to."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from console.management.operators import add_operator, operator_of
from console.operators import sessions


class Command(BaseCommand):
    help = "Sign an operator out everywhere. On record in their organizations."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_operator(parser)

    def handle(self, *args: Any, email: str, **options: Any) -> None:
        operator = operator_of(email)
        self.stdout.write(f"Ended {sessions.end_by_command(operator)} sessions of {operator.email}.")
