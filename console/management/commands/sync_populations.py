"""`manage.py sync_populations`, run by the worker or a timer: reload the populations of connected organizations."""

from argparse import ArgumentParser
from contextlib import suppress
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from console.failures.next_step import resolution_of
from console.management.options import identifier
from console.models import Organization
from pingone_integration import population_sync
from pingone_integration.calls import rate_limit
from pingone_integration.connection import license_limits
from pingone_integration.connection.open_api import open_api
from pingone_integration.errors import PingOneError
from pingone_integration.texts import english


class Command(BaseCommand):
    """Sync populations. No operator is needed: the command changes nothing at PingOne and shows no data."""

    help = (
        "Read each organization's populations from PingOne and store them, with the number of calls that its license "
        "allows. Exit code 1: a sync failed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "organizations", nargs="*", metavar="ORG", type=identifier, help="slugs of organizations; default: all"
        )

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
            self.stdout.write(f"{organization.slug}: {english(connection.get_state_display())}, skipped")
            return True
        try:
            with rate_limit.in_background():
                count = population_sync.sync(connection, open_api(connection))
        except PingOneError as error:
            self.stderr.write(f"{organization.slug}: {english(error.title)}. {english(resolution_of(error))}")
            return False
        with suppress(PingOneError):  # not every administrator may see licenses
            license_limits.read(connection)
            license_limits.read_share(connection)
        self.stdout.write(f"{organization.slug}: populations synced: {count}")
        return True
