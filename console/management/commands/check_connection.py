"""`manage.py check_connection ORG`: the checks of the troubleshooting page, in a terminal."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from console.connection.checks import advice_of, as_json, subject_of
from console.management.options import identifier
from console.models import Organization
from console.page.connection_status import in_utc
from pingone_integration.checks import Result, State, run_all
from pingone_integration.checks.conformance import conformance
from pingone_integration.connection.open_api import open_api
from pingone_integration.errors import PingOneError
from pingone_integration.models import Connection
from pingone_integration.texts import english

FAILED = 1


class Command(BaseCommand):
    """Check the connection. Changes nothing at PingOne, and renews the access token only if it has expired."""

    help = f"Check an organization's connection to PingOne step by step. Exit code {FAILED}: a check failed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("organization", metavar="ORG", type=identifier, help="the organization's slug")
        parser.add_argument(
            "--conformance", action="store_true", help="show where PingOne differs from what the local PingOne assumes"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")

    def handle(self, *args: Any, **options: Any) -> None:
        organization = Organization.objects.filter(slug=options["organization"]).first()
        if organization is None:
            raise CommandError(f"No such organization: {options['organization']}")
        if options["conformance"]:
            self._tell_conformance(organization)
            return
        if not options["json"]:
            self._tell_status(organization)
        results = []
        for result in run_all(subject_of(organization)):
            results.append(result)
            if not options["json"]:
                self._tell(result)
        told = as_json(results, in_utc(Connection.objects.get(pk=organization.connection_id)))
        if options["json"]:
            self.stdout.write(json.dumps(told, indent=2))
        if not told["passed"]:
            sys.exit(FAILED)

    def _tell_conformance(self, organization: Organization) -> None:
        """Print each assumption. A difference is news for the developers, not a failure of the connection."""
        try:
            for outcome in conformance(open_api(organization.connection)):
                looks = {None: "unknown", "": "as assumed"}.get(outcome.differs, "DIFFERS")
                self.stdout.write(f"{looks:<12}{outcome.assumption.text}")
                if outcome.differs:
                    self.stdout.write(f"{'':<12}PingOne: {outcome.differs}")
        except PingOneError as error:
            raise CommandError(f"{english(error.title)}. {english(error.cause)}") from error

    def _tell_status(self, organization: Organization) -> None:
        status = in_utc(organization.connection)
        self.stdout.write(f"PingOne: {english(status.words)}")
        if not status.is_good:
            self.stdout.write(f"{'':<22}{english(status.sentence)}")

    def _tell(self, result: Result) -> None:
        finding = result.finding
        state, title = english(result.state.label), english(result.check.title)
        self.stdout.write(f"{state:<12}{result.seconds:>6.2f} s  {title}")
        if result.state != State.SKIPPED:
            self.stdout.write(f"{'':<22}{english(finding.text)}")
        if advice := advice_of(finding):
            self.stdout.write(f"{'':<22}-> {english(advice)}")
