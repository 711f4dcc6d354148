"""`manage.py seed_demo`: the demo's organizations and people, with a connection or one click away from it."""

import json
import secrets
from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError
from django.db import transaction

from console.access import enter_org
from console.connection.callback_address import redirect_uri
from console.connection.settings import end_access, record_connected
from console.demo.approval import NotApproved, approve
from console.demo.people import ORGANIZATIONS, PASSWORD, PEOPLE
from console.models import Membership, Operator, Organization, RecoveryPolicy, RecoverySettings
from pingone_integration import population_sync
from pingone_integration.connection import authorization
from pingone_integration.connection.open_api import open_api
from pingone_integration.errors import PingOneError
from pingone_integration.models import Connection

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
HELPDESK_PHONE = "+46 8 555 0100"


class Command(BaseCommand):
    help = "Create the demo's organizations and people. Existing ones are kept."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("sandbox", type=Path, help="the file that `manage.py sandbox --ready-file` wrote")
        parser.add_argument("--report", type=Path, help="write to this file what became of the connections")
        begin = parser.add_mutually_exclusive_group()
        begin.add_argument("--connect", action="store_true", help="connect the organizations to that sandbox")
        begin.add_argument("--disconnect", action="store_true", help="end their connections to that sandbox")

    def handle(self, *args: Any, **options: Any) -> None:
        sandbox = json.loads(options["sandbox"].read_text())
        create(sandbox)
        organizations = Organization.objects.select_related("connection").order_by("slug")
        here = [one for one in organizations if one.connection.auth_url == sandbox["auth_url"]]  # not at a real PingOne
        told = []
        for organization in here if options["connect"] else ():
            try:
                connect(organization, sandbox)
                told.append(f"{organization.name} is connected.")
            except (PingOneError, NotApproved, OSError) as error:  # after changes in the settings, or faults that last
                told.append(f"{organization.name} could not be connected ({error}).")
        for organization in here if options["disconnect"] else ():
            end_access(organization.connection)
            told.append(f"{organization.name} is not connected.")
        if options["report"]:
            options["report"].write_text("\n".join(told))


@transaction.atomic
def create(sandbox: dict[str, Any]) -> None:
    if Operator.objects.exclude(email__in=[person.email for person in PEOPLE]).exists():
        raise CommandError(
            "This server already has other operators. Demo accounts have a published password, so none was added."
        )
    for slug, name in ORGANIZATIONS.items():
        organization = Organization.objects.filter(slug=slug).select_related("connection").first()
        if organization is None:
            Organization.objects.create(slug=slug, name=name, connection=prepared(sandbox))
        else:
            follow(organization.connection, sandbox)
    for person in PEOPLE:
        if not Operator.objects.filter(email=person.email).exists():
            operator = Operator.objects.create_user(person.email, PASSWORD, name=person.name)
            Operator.objects.filter(pk=operator.pk).update(date_joined=LONG_AGO)  # so that they can approve
            for slug, role in person.roles.items():
                Membership.objects.create(
                    operator=operator, organization=Organization.objects.get(slug=slug), role=role, since=LONG_AGO
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


def connect(organization: Organization, sandbox: dict[str, Any]) -> None:
    """Connect as the page does. Raises NotApproved, OSError, and the errors of `begin` and `finish`.

    The grant is always a new one: nothing here shows whether the sandbox still knows an old one.
    """
    admins = Membership.objects.filter(organization=organization, role=Membership.Role.ORG_ADMIN)
    member = admins.filter(operator__is_active=True).select_related("operator").order_by("pk").first()
    if member is None:
        raise NotApproved("it has no org admin")
    access, administrator = enter_org(member.operator, organization.slug), sandbox["administrators"][0]
    attempt, before = secrets.token_hex(32), access.org.connection.managed_environment_name
    answer = approve(
        authorization.begin(access.org.connection, redirect_uri=redirect_uri(), bound_to=attempt),
        redirect_uri=redirect_uri(),
        username=administrator["username"],
        password=administrator["password"],
    )
    if "code" not in answer:
        raise NotApproved(answer.get("error", "no code"))
    authorization.finish(state=answer["state"], code=answer["code"], redirect_uri=redirect_uri(), bound_to=attempt)
    record_connected(access, environment_before=before, source_address="127.0.0.1")
    switch_recovery_on(enter_org(member.operator, organization.slug).org)


def switch_recovery_on(organization: Organization) -> None:
    """Let the users of every population recover their account, unless an org admin decided otherwise.

    Raises PingOneErrors.
    """
    population_sync.sync(organization.connection, open_api(organization.connection))
    for population in population_sync.synced(organization.connection):
        RecoveryPolicy.objects.get_or_create(
            organization=organization,
            population_id=population.population_id,
            defaults={
                "population_name": population.name,
                "is_on": True,
                "opens_with_lost_password": False,
                "unlocks_account": True,
            },
        )
    RecoverySettings.objects.get_or_create(organization=organization, defaults={"helpdesk_phone": HELPDESK_PHONE})
