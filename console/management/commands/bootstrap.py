"""`manage.py bootstrap`: the first organization and its first org admin, on an empty server."""

import os
import re
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.db import transaction

from console.management.options import address, identifier
from console.models import Membership, Operator, Organization
from console.operators.accounts import set_password_link
from pingone_integration.models import Connection
from pingone_integration.typed.text import clean

_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


class Command(BaseCommand):
    help = (
        "Create the first organization and its first org admin on an empty server. Takes the password from the "
        "environment variable BOOTSTRAP_PASSWORD; without it, prints a one-time link to choose a password."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--organization",
            required=True,
            metavar="NAME",
            type=clean,
            help="the name that people see, for example Acme Corporation",
        )
        parser.add_argument("--slug", required=True, type=identifier, help="the name in URLs, for example acme")
        parser.add_argument(
            "--email",
            required=True,
            metavar="ADDRESS",
            type=address,
            help="the org admin's email address, to sign in with",
        )

    def handle(self, *args: Any, organization: str, slug: str, email: str, **options: Any) -> None:
        if Operator.objects.exists() or Organization.objects.exists():
            raise CommandError("This server is already in use. bootstrap only works on an empty server.")
        name, email = organization, email.lower()
        password = os.environ.get("BOOTSTRAP_PASSWORD") or None
        _check(name, slug, email, password)
        with transaction.atomic():
            first = Organization.objects.create(name=name, slug=slug, connection=Connection.objects.create())
            admin = Operator.objects.create_user(email, password)
            Membership.objects.create(organization=first, operator=admin, role=Membership.Role.ORG_ADMIN)
        self.stdout.write(f"Created {name} with the org admin {email}.")
        if password is None:
            self.stdout.write(
                f"Open this link within three days to choose the password. It works once:\n{set_password_link(admin)}"
            )


def _check(name: str, slug: str, email: str, password: str | None) -> None:
    """Raise CommandError with the name of an invalid argument."""
    if not name or len(name) > 150:
        raise CommandError("--organization: enter 1 to 150 characters.")
    if not _SLUG.fullmatch(slug) or len(slug) > 50:
        raise CommandError("--slug: use up to 50 lowercase letters, digits and single hyphens, for example acme-corp.")
    try:
        validate_email(email)
    except ValidationError:
        raise CommandError(f"--email: {email!r} is not an email address.") from None
    if password is not None:
        try:
            validate_password(password, Operator(email=email))
        except ValidationError as error:
            raise CommandError(f"BOOTSTRAP_PASSWORD: {' '.join(error.messages)}") from None
