"""`manage.py reset_second_factor`: for a single org admin, or an account of several organizations, who lost theirs."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from console.management.operators import add_operator, operator_of
from console.operators import lost_factor


class Command(BaseCommand):
    help = "Remove an operator's second factors and recovery codes at once, and sign them out. On record."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_operator(parser)

    def handle(self, *args: Any, email: str, **options: Any) -> None:
        operator = operator_of(email)
        self.stdout.write(f"Removed {lost_factor.remove_now(operator)} second factors of {operator.email}.")
