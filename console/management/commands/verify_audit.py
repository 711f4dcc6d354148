"""`manage.py verify_audit [ORG]`: the check that the audit log's hash chains are intact, and as they were elsewhere."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from console.audit.anchors import NoLines, compare
from console.audit.chain import verify
from console.audit.lines import SERVER
from console.management.options import identifier
from console.models import AuditEntry, Organization
from pingone_integration.texts import english


class Command(BaseCommand):
    help = (
        "Check the hash chains of the audit log. Names the first row that was edited, removed or moved. "
        "With --against, also finds an end that was cut off, and a log that was written anew."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "organization", nargs="?", metavar="ORG", type=identifier, help="slug of an organization; default: all"
        )
        parser.add_argument(
            "--against",
            type=Path,
            metavar="FILE",
            help="lines kept elsewhere, of the process log or an export as JSON lines; - reads standard input",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit with code 1 if a chain is broken, or differs from the lines."""
        organizations = Organization.objects.all()
        if slug := options["organization"]:
            organizations = organizations.filter(slug=slug)
            if not organizations:
                raise CommandError(f"No such organization: {slug}")
        chains: list[Organization | None] = list(organizations)
        if not slug and AuditEntry.objects.filter(organization=None).exists():
            chains.append(None)
        broken = [name for name in map(self._check, chains) if name]
        if options["against"]:
            broken += self._compare(options["against"], organizations.first() if slug else None)
        if broken:
            raise CommandError(f"The audit log was changed after it was written: {', '.join(dict.fromkeys(broken))}")

    def _check(self, chain: Organization | None) -> str:
        """Return the name of a broken chain, or "" if it holds."""
        name = chain.slug if chain else SERVER
        if found := verify(chain):
            self.stderr.write(f"{name}: row {found.sequence} {english(found.what)}.")
            return name
        rows = AuditEntry.objects.filter(organization=chain).count()
        self.stdout.write(f"{name}: chain intact, rows checked: {rows}")
        return ""

    def _compare(self, file: Path, only: Organization | None) -> list[str]:
        """Return the names of the chains that differ from the lines."""
        try:
            with file.open(encoding="utf-8", errors="replace") if str(file) != "-" else sys.stdin as lines:
                results = compare(lines, only)
        except OSError as error:
            raise CommandError(f"--against: {error}") from error
        except NoLines:
            raise CommandError(f"--against: {file} has no lines of this audit log.") from None
        for name, result in results.items():
            for problem in result.problems:
                self.stderr.write(f"{name}: {problem}.")
            if not result.problems:
                self.stdout.write(f"{name}: as in the lines, rows compared: {result.same}")
        return [name for name, result in results.items() if result.problems]
