"""The operator that a command is about."""

from argparse import ArgumentParser

from django.core.management.base import CommandError

from console.management.options import address
from console.models import Operator


def add_operator(parser: ArgumentParser) -> None:
    parser.add_argument("email", metavar="ADDRESS", type=address, help="the address with which they sign in")


def operator_of(email: str) -> Operator:
    """Return the operator with this address. Raises CommandError."""
    found = Operator.objects.filter(email__iexact=email).first()
    if found is None:
        raise CommandError("No operator has this address.")
    return found
