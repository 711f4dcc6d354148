"""`manage.py seed_demo`: the demo's organizations and people, one click away from a connection."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError
from django.db import transaction

from console.demo.people import ORGANIZATIONS, PASSWORD, PEOPLE
from console.models import Membership, Operator, Organization
from pingone_integration.models import Connection


class Command(BaseCommand):
    help = "Create the demo's organizations and people. Existing ones are kept."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("sandbox", type=Path, help="the file that `manage.py sandbox --ready-file` wrote")

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        if Operator.objects.exclude(email__in=[person.email for person in PEOPLE]).exists():
            raise CommandError(
                "This server already has other operators. Demo accounts have a published password, so none was added."
            )
        sandbox = json.loads(options["sandbox"].read_text())
        for slug, name in ORGANIZATIONS.items():
            organization = Organization.objects.filter(slug=slug).select_related("connection").first()
            if organization is None:
                Organization.objects.create(slug=slug, name=name, connection=prepared(sandbox))
            else:
                follow(organization.connection, sandbox)
        for person in PEOPLE:
            if not Operator.objects.filter(email=person.email).exists():
                operator = Operator.objects.create_user(person.email, PASSWORD, name=person.name)
                for slug, role in person.roles.items():
                    Membership.objects.create(
                        operator=operator, organization=Organization.objects.get(slug=slug), role=role
                    )


def prepared(sandbox: dict[str, Any]) -> Connection:
    """Return a connection with all that an org admin enters before pressing Connect."""
    connection = Connection(
        client_id=sandbox["client_id"], auth_url=sandbox["auth_url"], environment_id=sandbox["environment_id"]
    )
    connection.sealed_client_secret = connection.seal("client_secret", sandbox["client_secret"])
    connection.save()
    return connection


def follow(connection: Connection, sandbox: dict[str, Any]) -> None:
    """Update the sandbox's port. A connection to another host is not changed."""
    if connection.auth_url.startswith("http://127.0.0.1:"):
        connection.auth_url = sandbox["auth_url"]
        connection.save(update_fields=["auth_url"])
