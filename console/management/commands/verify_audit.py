"""`manage.py verify_audit [ORG]`: the check that the audit log's hash chain is intact."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from console.audit.chain import verify
from console.models import Organization


class Command(BaseCommand):
    help = "Check the hash chain of the audit log; name the first entry that was edited, removed or moved."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("organization", nargs="?", metavar="ORG", help="slug of one organization; default: all")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit with code 1 if a chain is broken."""
        organizations = Organization.objects.all()
        if slug := options["organization"]:
            organizations = organizations.filter(slug=slug)
            if not organizations:
                raise CommandError(f"There is no organization {slug}.")
        broken = 0
        for organization in organizations:
            found = verify(organization)
            if found is None:
                self.stdout.write(f"{organization.slug}: {organization.audit_entries.count()} rows, the chain holds.")
            else:
                broken += 1
                self.stderr.write(f"{organization.slug}: row {found.sequence} {found.what}.")
        if broken:
            raise CommandError(f"The audit log of {broken} organization{'s' if broken > 1 else ''} was changed.")
