"""`manage.py break_glass`: the account that signs in with a password where everybody else uses single sign-on."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from console.audit import entries
from console.management.options import address
from console.models import AuditEntry, Operator
from console.operators.on_record import chains_of


class Command(BaseCommand):
    help = (
        "Let an account sign in with its password, and its second factor, where single sign-on is required. "
        "Without an address, list these accounts."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", nargs="?", type=address, metavar="ADDRESS", help="the account's email address")
        parser.add_argument("--withdraw", action="store_true", help="let it sign in like everybody else again")

    def handle(self, *args: Any, email: str | None, withdraw: bool, **options: Any) -> None:
        if email is None:
            for one in Operator.objects.filter(is_break_glass=True).order_by("email"):
                self.stdout.write(one.email)
            return
        operator = Operator.objects.filter(email__iexact=email).first()
        if operator is None:
            raise CommandError(f"There is no account {email}.")
        if not withdraw and not operator.has_usable_password():
            raise CommandError(f"{email} has no password to sign in with.")
        with transaction.atomic():
            operator.is_break_glass = not withdraw
            operator.save(update_fields=["is_break_glass"])
            for organization in chains_of(operator):
                entries.record(
                    organization,
                    "operator.break-glass-changed",
                    subject=entries.Subject(kind=AuditEntry.Subject.OPERATOR, id=operator.pk, name=operator.email),
                    after={"is_break_glass": operator.is_break_glass},
                    reason="By whoever runs the server, on its command line",
                )
        told = "signs in like everybody else" if withdraw else "may sign in with its password"
        self.stdout.write(f"{operator.email} {told}.")
