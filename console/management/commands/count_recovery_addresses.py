"""`manage.py count_recovery_addresses`, run by the worker: how many users have no usable address for recovery.

It also reads the password rules that the form for PingOne's own code shows.
"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from console.failures.next_step import resolution_of
from console.models import Organization
from console.recovery import counting, shown_rules
from pingone_integration.calls import rate_limit
from pingone_integration.connection.open_api import open_api
from pingone_integration.errors import PingOneError
from pingone_integration.texts import english


class Command(BaseCommand):
    """Count. No operator is needed: the command changes nothing at PingOne and shows no data."""

    help = (
        "Count the users without a usable address in each population where account recovery is on or an org admin "
        "asked for it, unless they were counted lately. Exit code 1: a count failed."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        organizations = Organization.objects.select_related("connection").filter(recovery_policies__isnull=False)
        failed = [one.slug for one in organizations.distinct() if not self._count(one)]
        if failed:
            raise CommandError(f"Not counted: {', '.join(failed)}")

    def _count(self, organization: Organization) -> bool:
        """Return False if a count failed. An organization without a connection is skipped."""
        if not organization.connection.has_grant:
            return True
        try:
            with rate_limit.in_background():
                api = open_api(organization.connection)
                shown_rules.read(organization, api)
                for policy in counting.due(organization):
                    total = counting.count(policy, api)
                    self.stdout.write(f"{organization.slug}: users counted in {policy.population_name}: {total}")
        except PingOneError as error:
            self.stderr.write(f"{organization.slug}: {english(error.title)}. {english(resolution_of(error))}")
            return False
        return True
