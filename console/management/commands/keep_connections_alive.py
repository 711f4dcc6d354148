"""`manage.py keep_connections_alive`, for cron: renew refresh tokens before they expire unused."""

from argparse import ArgumentParser
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from console.failures.next_step import resolution_of
from console.models import Organization
from pingone_integration.connection.tokens import renew
from pingone_integration.errors import BeingRenewed, PingOneError
from pingone_integration.models import Connection
from pingone_integration.texts import english

OLDER_THAN_DAYS = 7  # PingOne's refresh tokens last 30 days unless the application says otherwise


class Command(BaseCommand):
    """Renew refresh tokens. No operator is needed: the command changes only tokens, and shows them to no one."""

    help = (
        "Renew the connection of each organization whose refresh token is getting old, or whose last refresh failed or "
        "was interrupted. Run it every few minutes; two runs at once do no harm. Exit code 1: a renewal failed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--older-than-days",
            type=int,
            default=OLDER_THAN_DAYS,
            metavar="N",
            help=f"renew refresh tokens that are older than N days (default: {OLDER_THAN_DAYS})",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        issued_before = timezone.now() - timedelta(days=options["older_than_days"])
        failed = [org.slug for org in Organization.objects.all() if not self._keep_alive(org, issued_before)]
        if failed:
            raise CommandError(f"Not renewed: {', '.join(failed)}")

    def _keep_alive(self, organization: Organization, issued_before: datetime) -> bool:
        """Return False if the renewal failed. The failure is already recorded."""
        connection = Connection.objects.get(pk=organization.connection_id)  # read now: earlier ones took time
        if not connection.has_grant:
            self.stdout.write(f"{organization.slug}: {english(connection.get_state_display())}, skipped")
            return True
        if not connection.sealed_refresh_token:
            self.stdout.write(f"{organization.slug}: no refresh token, skipped")
            return True
        if not _is_due(connection, issued_before):
            self.stdout.write(f"{organization.slug}: not due")
            return True
        try:
            renew(connection)
        except BeingRenewed:
            self.stdout.write(f"{organization.slug}: already being renewed")
            return True
        except PingOneError as error:
            self.stderr.write(f"{organization.slug}: {english(error.title)}. {english(resolution_of(error))}")
            return False
        self.stdout.write(f"{organization.slug}: renewed")
        return True


def _is_due(connection: Connection, issued_before: datetime) -> bool:
    """Return whether to renew: also after a failure or a leftover lease, since PingOne's grace period is short."""
    issued, good_until = connection.refresh_token_issued_at, connection.access_token_expires_at
    run_out = good_until is None or good_until <= timezone.now()
    failed = connection.state == Connection.State.NEEDS_ATTENTION and run_out
    interrupted = connection.lease_owner is not None
    return issued is None or issued <= issued_before or failed or interrupted
