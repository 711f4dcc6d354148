"""`manage.py sync_role_groups`, run by the worker after Connect and daily: which groups give administrator roles."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from console.failures.next_step import resolution_of
from console.management.options import identifier
from console.models import Organization
from console.protection import groups
from pingone_integration.calls import rate_limit
from pingone_integration.connection.open_api import open_api
from pingone_integration.errors import PingOneError
from pingone_integration.texts import english


class Command(BaseCommand):
    """Read the groups. No operator is needed: the command changes nothing at PingOne and shows no data."""

    help = (
        "Read which groups of each organization give PingOne administrator roles, by themselves or by nesting, and "
        "store that. Organizations whose table is still good are skipped. Exit code 1: a reading failed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "organizations",
            nargs="*",
            metavar="ORG",
            type=identifier,
            help="slugs to read in any case; default: all",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        slugs: list[str] = options["organizations"]
        organizations = Organization.objects.select_related("connection")
        if slugs:
            organizations = organizations.filter(slug__in=slugs)
            unknown = set(slugs) - {organization.slug for organization in organizations}
            if unknown:
                raise CommandError(f"No such organization: {', '.join(sorted(unknown))}")
        failed = [
            organization.slug for organization in organizations if not self._sync(organization, forced=bool(slugs))
        ]
        if failed:
            raise CommandError(f"Not read: {', '.join(failed)}")

    def _sync(self, organization: Organization, *, forced: bool) -> bool:
        """Return False if the reading failed. An organization without a connection is skipped."""
        connection = organization.connection
        if not forced and groups.is_good(organization):
            self.stdout.write(f"{organization.slug}: read lately, skipped")
            return True
        if not connection.has_grant:
            self.stdout.write(f"{organization.slug}: {english(connection.get_state_display())}, skipped")
            return True
        try:
            with rate_limit.in_background():
                count = groups.read(organization, open_api(connection))
        except PingOneError as error:
            self.stderr.write(f"{organization.slug}: {english(error.title)}. {english(resolution_of(error))}")
            return False
        self.stdout.write(f"{organization.slug}: groups that give administrator roles: {count}")
        return True
