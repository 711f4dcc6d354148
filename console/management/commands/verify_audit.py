"""`manage.py verify_audit [ORG]`: the check that the audit log's hash chain is intact."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from console.audit.chain import verify
from console.management.options import identifier
from console.models import Organization
from pingone_integration.texts import english


class Command(BaseCommand):
    help = "Check the hash chain of the audit log. Names the first row that was edited, removed or moved."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "organization", nargs="?", metavar="ORG", type=identifier, help="slug of an organization; default: all"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit with code 1 if a chain is broken."""
        organizations = Organization.objects.all()
        if slug := options["organization"]:
            organizations = organizations.filter(slug=slug)
            if not organizations:
                raise CommandError(f"No such organization: {slug}")
        broken = []
        for organization in organizations:
            found = verify(organization)
            if found is None:
                self.stdout.write(
                    f"{organization.slug}: chain intact, rows checked: {organization.audit_entries.count()}"
                )
            else:
                broken.append(organization.slug)
                self.stderr.write(f"{organization.slug}: row {found.sequence} {english(found.what)}.")
        if broken:
            raise CommandError(f"The audit log was changed after it was written: {', '.join(broken)}")
