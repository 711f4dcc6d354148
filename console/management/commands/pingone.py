"""`manage.py pingone ORG ...`: reads, the catalogue's actions and Call API in a terminal.

Permissions and audit log are the same as on a page.
"""

import argparse
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.http import Http404
from django.shortcuts import get_object_or_404

from console.access import OrgAccess, enter_org
from console.audit import system_user
from console.audit.refusals import permission_refused
from console.management.options import identifier
from console.management.pingone import actions, calls, jobs, plans, reads
from console.management.pingone.terminal import FAILED, REFUSED, UNKNOWN, Terminal, why
from console.models import Operator
from console.server import audit_log
from pingone_integration.errors import PingOneError


class Command(BaseCommand):
    help = "Read users and groups of PingOne, run an action on a user, or call any PingOne endpoint."
    epilog = (
        f"Exit code: 0 done, {FAILED} failed, 2 invalid command line, {UNKNOWN} outcome unknown, {REFUSED} not allowed."
    )

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        kwargs |= {"epilog": self.epilog, "formatter_class": argparse.RawDescriptionHelpFormatter}
        return super().create_parser(prog_name, subcommand, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("organization", metavar="ORG", type=identifier, help="the organization's slug")
        kinds = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
        for room in (reads, actions, jobs, plans, calls):
            room.add(kinds)

    def handle(self, *args: Any, **options: Any) -> None:
        with system_user.recorded(), audit_log.away_from_results():
            self._run(_enter(options["organization"], options["operator"]), options)

    def _run(self, access: OrgAccess, options: dict[str, Any]) -> None:
        terminal = Terminal(self.stdout, as_json=options["json"])
        try:
            options["run"](access, terminal, options)
        except (PermissionDenied, Http404) as refusal:
            if isinstance(refusal, PermissionDenied):
                permission_refused(access, refusal, door=f"command {options['action']}")
            terminal.end(REFUSED, "refused", f"{options['operator']} is not allowed to do this.")
        except PingOneError as error:  # before the action ran
            code, outcome = (FAILED, "failed") if error.outcome_known else (UNKNOWN, "unknown")
            terminal.end(code, outcome, why(error), error=error)


def _enter(slug: str, email: str) -> OrgAccess:
    try:
        return enter_org(get_object_or_404(Operator, email__iexact=email), slug)
    except Http404:
        raise CommandError(f"{email} is not a member of {slug}.", returncode=REFUSED) from None
