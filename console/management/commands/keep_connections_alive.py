"""`manage.py keep_connections_alive`, run by the worker or a timer: renew refresh tokens before they expire unused."""

from argparse import ArgumentParser
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from console.failures.next_step import resolution_of
from console.models import Organization
from console.page.connection_status import in_utc
from pingone_integration.connection.tokens import StoredTokens, renew
from pingone_integration.errors import BeingRenewed, PingOneError
from pingone_integration.models import Connection
from pingone_integration.texts import english

State = Connection.State
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
        if not connection.can_be_renewed:
            return self._cannot_be_renewed(organization, connection)
        if not _is_due(connection, issued_before):
            self.stdout.write(f"{organization.slug}: not due")
            return True
        try:
            renew(connection)
        except BeingRenewed:
            self.stdout.write(f"{organization.slug}: already being renewed")
            return True
        except PingOneError as error:
            connection.refresh_from_db()
            self._tell_failure(organization, connection, error)
            return False
        self.stdout.write(f"{organization.slug}: renewed")
        return True

    def _cannot_be_renewed(self, organization: Organization, connection: Connection) -> bool:
        """Return False if the connection has just ended. Then its state says so from now on."""
        has_just_ended = connection.state_now == State.RECONNECT_NEEDED != connection.state
        if has_just_ended:
            with suppress(PingOneError):
                StoredTokens(connection.pk).current()
            connection.refresh_from_db()
        self.stdout.write(f"{organization.slug}: {english(in_utc(connection).words)}, skipped")
        return not has_just_ended

    def _tell_failure(self, organization: Organization, connection: Connection, error: PingOneError) -> None:
        """Say why the renewal failed, and how long access lasts if it does."""
        status = in_utc(connection)
        told = status.words if status.ends_at else error.title
        self.stderr.write(f"{organization.slug}: {english(told)}. {english(resolution_of(error))}")


def _is_due(connection: Connection, issued_before: datetime) -> bool:
    """Return whether to renew: also after a failure or an interruption, since PingOne's grace period is short.

    Even if the access token is good: the renewal may have failed early, and by its end the grace period is over.
    """
    issued = connection.refresh_token_issued_at
    return issued is None or issued <= issued_before or connection.renewal_is_unfinished
