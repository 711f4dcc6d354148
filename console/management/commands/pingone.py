"""`manage.py pingone ORG ACTION --user NAME ...`: the actions of the catalogue from a terminal, recorded alike."""

import argparse
import getpass
import json
import sys
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.forms import Field
from django.http import Http404
from django.shortcuts import get_object_or_404

from console.access import OrgAccess, enter_org
from console.action_forms import ActionForm
from console.audit import AlreadySubmitted, Circumstances
from console.catalogue import ACTIONS, BY_KEY, Action
from console.models import AuditEntry, Operator
from console.models.tickets import ticket_policy
from console.perform import Performed, Refused, perform
from pingone_integration import users
from pingone_integration.errors import PingOneError
from pingone_integration.user_search import literal, user_id_in
from pingone_integration.users import User

FAILED, UNKNOWN, REFUSED = 1, 3, 4  # 2 is argparse's, for a command line that cannot be read


class Command(BaseCommand):
    help = "Run an action on a PingOne user."
    epilog = f"Exit code: 0 done, {FAILED} failed, 2 wrong usage, {UNKNOWN} outcome unknown, {REFUSED} not allowed."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        kwargs |= {"epilog": self.epilog, "formatter_class": argparse.RawDescriptionHelpFormatter}
        return super().create_parser(prog_name, subcommand, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("organization", metavar="ORG", help="the organization's slug")
        kinds = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
        for action in ACTIONS:
            described = f"{action.does} {action.leaves}"
            kind = kinds.add_parser(action.key, help=action.name, description=described)
            _add_options(kind, action)

    def handle(self, *args: Any, **options: Any) -> None:
        action = BY_KEY[options["action"]]
        access = self._enter(options["organization"], options["operator"])
        try:
            access.require(action.permission)
            user = _find(access, options["user"]) if action.needs_user else None
            form = _filled_in(access, action, user, options)
            performed = perform(access, action, user.id if user else None, form.inputs(), _circumstances(form))
        except (PermissionDenied, Http404):
            self._end(options, REFUSED, "refused", f"{options['operator']} may not do this.")
        except (Refused, AlreadySubmitted) as refused:
            self._end(options, REFUSED, "refused", str(refused))
        except PingOneError as error:
            code, outcome = (FAILED, "failed") if error.outcome_known else (UNKNOWN, "unknown")
            self._end(options, code, outcome, f"{error.title}. {error.cause}", error=error)
        else:
            self._done(options, action, performed)

    def _enter(self, slug: str, email: str) -> OrgAccess:
        try:
            return enter_org(get_object_or_404(Operator, email__iexact=email), slug)
        except Http404:
            raise CommandError(f"{email} is not a member of {slug}.", returncode=REFUSED) from None

    def _done(self, options: dict[str, Any], action: Action, performed: Performed) -> None:
        entry = performed.entry
        name = performed.user.username if performed.user else entry.subject_name
        if options["json"]:
            told = _as_json(entry) | ({"secret": performed.result} if action.secret_result else {})
            self.stdout.write(json.dumps(told))
            return
        self.stdout.write(" ".join(part for part in (f"{action.done}: {_shown(name)}.", _shown(entry.note)) if part))
        if action.secret_result:
            self.stdout.write(f"{action.secret_result}, shown this once: {performed.result}")

    def _end(
        self, options: dict[str, Any], code: int, outcome: str, text: str, *, error: PingOneError | None = None
    ) -> None:
        """Say it on the right stream, and end with the exit code that fits."""
        trace = error.trace if error else None
        details = [f"{detail.target}: {detail.message}" for detail in error.details] if error else []
        if options["json"]:
            told: dict[str, Any] = {"outcome": outcome, "error": text, "details": details}
            if trace:
                told |= {"error_id": trace.error_id, "transaction_id": trace.transaction_id}
            self.stdout.write(json.dumps(told))
            sys.exit(code)
        ids = f" Transaction ID {trace.transaction_id}." if trace and trace.transaction_id else ""
        raise CommandError("\n".join([text + ids, *map(_shown, details)]), returncode=code)


def _add_options(parser: argparse.ArgumentParser, action: Action) -> None:
    if action.needs_user:
        parser.add_argument("--user", required=True, metavar="NAME", help="username, e-mail address or id")
    for name, field in action.form.base_fields.items():
        if name in {"submission", "seen_at"} or name in action.secret_inputs:
            continue
        required = field.required and not action.form.takes_parts
        option = f"--{name.replace('_', '-')}"
        parser.add_argument(option, dest=f"input_{name}", required=required, metavar="VALUE", help=_help_of(field))
    for name in sorted(action.secret_inputs):
        parser.epilog = f"{name} is read from standard input, or asked for."
    parser.add_argument("--as", dest="operator", required=True, metavar="EMAIL", help="the operator who does it")
    parser.add_argument("--json", action="store_true", help="say what came of it as one JSON object")


def _help_of(field: Field) -> str:
    return " ".join(str(part).replace("%", "%%") for part in (field.label or "ID", field.help_text) if part)


def _find(access: OrgAccess, name: str) -> User:
    """The one user of this id, username or e-mail address."""
    api = access.pingone()
    if known := user_id_in(name):
        return users.get(api, known)
    attribute = "email" if "@" in name else "username"
    found = users.search(api, filter=f"{attribute} eq {literal(name)}", limit=2).items
    if not found and attribute == "email":
        found = users.search(api, filter=f"username eq {literal(name)}", limit=2).items
    if len(found) != 1:
        problem = "is more than one user: give the username or the id" if found else "is no user that can be seen"
        raise CommandError(f"{name} {problem}.", returncode=FAILED)
    return found[0]


def _filled_in(access: OrgAccess, action: Action, user: User | None, options: dict[str, Any]) -> ActionForm:
    """The action's form with what the command line gives, and secrets from where no process list shows them."""
    blank = action.form()
    data = {"submission": str(blank["submission"].initial)}
    data |= {
        name.removeprefix("input_"): str(value)
        for name, value in options.items()
        if name.startswith("input_") and value is not None
    }
    for name in sorted(action.secret_inputs):
        data[name] = sys.stdin.readline().rstrip("\n") if not sys.stdin.isatty() else getpass.getpass(f"{name}: ")
    form = action.form(data, policy=ticket_policy(access.org, action.key), user=user)
    if not form.is_valid():
        mistakes = [
            f"--{name.replace('_', '-')}: {text}" if name != "__all__" else str(text)
            for name, texts in form.errors.items()
            for text in texts
        ]
        raise CommandError("\n".join(mistakes), returncode=2)
    return form


def _circumstances(form: ActionForm) -> Circumstances:
    cleaned = form.cleaned_data
    submission: UUID = cleaned["submission"]
    return Circumstances(
        channel=AuditEntry.Channel.COMMAND, ticket=cleaned["ticket"], reason=cleaned["reason"], submission=submission
    )


def _as_json(entry: AuditEntry) -> dict[str, Any]:
    return {
        "outcome": entry.outcome,
        "action": entry.action,
        "user_id": entry.subject_id,
        "username": entry.subject_name,
        "before": entry.before,
        "after": entry.after,
        "note": entry.note,
        "transaction_id": str(entry.entry),
    }


def _shown(text: str) -> str:
    """For a terminal: what would move its cursor or change its colours is spelled out."""
    return "".join(character if character.isprintable() else f"\\u{ord(character):04x}" for character in text)
