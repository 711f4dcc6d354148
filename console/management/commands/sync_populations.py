"""`manage.py sync_populations`, for cron: read the populations of connected organizations again."""

from argparse import ArgumentParser
from contextlib import suppress
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from console.failures.next_step import resolution_of
from console.models import Organization
from pingone_integration import population_sync
from pingone_integration.calls import rate_limit
from pingone_integration.connection import licence
from pingone_integration.connection.open_api import open_api
from pingone_integration.errors import PingOneError


class Command(BaseCommand):
    """A command without an operator: it changes nothing at PingOne and shows its data to nobody."""

    help = (
        "Read the populations of each organization from PingOne and keep them, with how many calls its licence allows. "
        "Exits with 1 when one failed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("organizations", nargs="*", metavar="ORG", help="slugs; all of them when none is named")

    def handle(self, *args: Any, **options: Any) -> None:
        slugs: list[str] = options["organizations"]
        organizations = Organization.objects.select_related("connection")
        if slugs:
            organizations = organizations.filter(slug__in=slugs)
            unknown = set(slugs) - {organization.slug for organization in organizations}
            if unknown:
                raise CommandError(f"No such organization: {', '.join(sorted(unknown))}")
        failed = [organization.slug for organization in organizations if not self._sync(organization)]
        if failed:
            raise CommandError(f"Not synced: {', '.join(failed)}")

    def _sync(self, organization: Organization) -> bool:
        """Return False if the sync failed. An organization without a connection is skipped."""
        connection = organization.connection
        if not connection.has_grant:
            self.stdout.write(f"{organization.slug}: {connection.get_state_display()}, passed over")
            return True
        try:
            with rate_limit.in_background():
                count = population_sync.sync(connection, open_api(connection))
        except PingOneError as error:
            self.stderr.write(f"{organization.slug}: {error.title}. {resolution_of(error)}")
            return False
        with suppress(PingOneError):  # not every administrator may see licenses
            licence.read(connection)
        self.stdout.write(f"{organization.slug}: {count} read")
        return True
