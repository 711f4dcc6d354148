"""`manage.py pingone ORG ACTION ...`: a user's verdict, the catalogue's actions and Call API in a terminal.

Permissions and audit log are the same as on a page.
"""

import argparse
import getpass
import json
import sys
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.forms import CharField, Field, Form
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone

from console import visible_users
from console.access import OrgAccess, Permission, enter_org
from console.actions.catalogue import ACTIONS, BY_KEY, Action
from console.actions.demands import ticket_policy_for
from console.actions.forms import ActionForm
from console.actions.notices import Notice, notice_of, submitted_before
from console.actions.outcome import (
    AlreadySubmitted,
    Conflict,
    Done,
    Failed,
    NoChange,
    Refused,
    Result,
    Unknown,
    error_of,
    user_of,
)
from console.audit.api_requests import ACTION as CALL_API
from console.audit.entries import Circumstances
from console.audit.objects import exported_object_of
from console.audit.refusals import permission_refused
from console.call_api import api_call
from console.call_api.forms import CallApiForm, SendWriteForm
from console.failures.next_step import resolution_of
from console.limits.reading import looked_at, protected_page_read
from console.management.options import address, identifier
from console.models import AuditEntry, Operator
from console.perform.user_operation import perform
from console.protection.judge import known_protection
from console.users.standing import Gap, Known, Standing, standing_of
from pingone_integration import mfa, passwords
from pingone_integration.calls.api import PingOneApi
from pingone_integration.calls.parallel import at_once
from pingone_integration.endpoints import Exchange
from pingone_integration.errors import NoEnvironmentChosen, PingOneError
from pingone_integration.texts import english
from pingone_integration.user_search import literal, user_id_in
from pingone_integration.users import User

FAILED, UNKNOWN, REFUSED = 1, 3, 4  # argparse exits with 2 for an invalid command line
_EXIT_CODES: dict[type[Result], int] = {
    Done: 0,
    NoChange: 0,
    AlreadySubmitted: REFUSED,
    Refused: REFUSED,
    Conflict: FAILED,
    Failed: FAILED,
    Unknown: UNKNOWN,
}
_NOT_TYPED = {"submission", "seen_at", "seen", "formatted_offered"}  # hidden fields of a page's form
_SHOWS = "Shows whether a user can sign in, why not, and what helps. Reads the user, password and MFA. Changes nothing."


class Command(BaseCommand):
    help = "Show whether a PingOne user can sign in, run an action on a user, or call any PingOne endpoint."
    epilog = (
        f"Exit code: 0 done, {FAILED} failed, 2 invalid command line, {UNKNOWN} outcome unknown, {REFUSED} not allowed."
    )

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        kwargs |= {"epilog": self.epilog, "formatter_class": argparse.RawDescriptionHelpFormatter}
        return super().create_parser(prog_name, subcommand, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("organization", metavar="ORG", type=identifier, help="the organization's slug")
        kinds = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
        kind = kinds.add_parser("show", help="Show why a user can or can't sign in", description=_SHOWS)
        _add_user_option(kind)
        _add_common_options(kind)
        kind.set_defaults(run=self._show)
        for action in ACTIONS:
            described = f"{english(action.does)} {english(action.leaves)}"
            kind = kinds.add_parser(action.key, help=english(action.name), description=described)
            _add_options(kind, action)
            kind.set_defaults(run=partial(self._perform, action))
        kind = kinds.add_parser(CALL_API, help="Call API", description="Calls any PingOne endpoint of the environment.")
        _add_call_options(kind)
        kind.set_defaults(run=self._call)

    def handle(self, *args: Any, **options: Any) -> None:
        access = self._enter(options["organization"], options["operator"])
        try:
            options["run"](access, options)
        except (PermissionDenied, Http404) as refusal:
            if isinstance(refusal, PermissionDenied):
                permission_refused(access, refusal, door=f"command {options['action']}")
            self._end(options, REFUSED, "refused", f"{options['operator']} is not allowed to do this.")
        except PingOneError as error:  # before the action ran
            code, outcome = (FAILED, "failed") if error.outcome_known else (UNKNOWN, "unknown")
            self._end(options, code, outcome, _why(error), error=error)

    def _show(self, access: OrgAccess, options: dict[str, Any]) -> None:
        """Print the verdict of the user's page. Its exit code is 0 whatever the verdict is."""
        access.require(Permission.VIEW_USERS)
        user_id = _find(access, options["user"])
        api = access.pingone()
        known = _known(api, visible_users.get(access, api, user_id))
        looked_at(access, user_id)
        protected_page_read(access, known.user, known_protection(access.org, known.user), source_address="")
        standing = standing_of(known)
        helping = [BY_KEY[key] for key in standing.helps if access.may(BY_KEY[key])]
        if options["json"]:
            self.stdout.write(json.dumps(_verdict_as_json(known.user, standing, helping)))
            return
        lines = [
            _name_line(known.user),
            english(standing.sentence),
            *(f"- {english(fact)}" for fact in standing.facts),
            *(f"What helps: {english(action.name)} ({action.key})" for action in helping),
            f"Times are in {timezone.get_current_timezone_name()}.",
        ]
        self.stdout.write("\n".join(map(_shown, lines)))

    def _perform(self, action: Action, access: OrgAccess, options: dict[str, Any]) -> None:
        access.require_to(action)
        user_id = _find(access, options["user"]) if action.needs_user else None
        user = None
        if user_id and action.form.looks_at_user:
            user = visible_users.get(access, access.pingone(), user_id)
        form = _filled_in(access, action, user, options)
        result = perform(access, action, user_id, form.inputs(), _circumstances(form))
        user, entry = user_of(result), result.entry
        name = user.username if user else entry.subject_name if entry else ""
        notice = notice_of(result, action, name=name, in_words=_why)
        match result:
            case Done() | NoChange():
                notes = form.notes if isinstance(result, Done) else []
                self._done(options, action, result, notice, notes=list(map(english, notes)))
            case _:
                self._stop(options, result, english(notice.text))

    def _call(self, access: OrgAccess, options: dict[str, Any]) -> None:
        access.require(Permission.CALL_API)
        environment_id = access.org.connection.managed_environment_id
        if environment_id is None:
            raise NoEnvironmentChosen
        typed = _typed(options)
        form = CallApiForm(typed | {"body": _content(options["body_file"])}, environment_id=environment_id)
        _raise_mistakes(form)
        why: ActionForm = ActionForm(_submitted(ActionForm(), typed))
        if form.call.writes:
            policy = ticket_policy_for(access, CALL_API)
            why = SendWriteForm(_submitted(SendWriteForm(), typed), policy=policy)
        _raise_mistakes(why)
        result = api_call.perform_call(access, form.call, _circumstances(why))
        match result:
            case Done(result=Exchange() as exchange) | Failed(result=Exchange() as exchange):
                self._answered(options, result, exchange)
            case Unknown(result=Exchange() as exchange):
                self._answered(options, result, exchange)
            case AlreadySubmitted(entry=entry):
                self._stop(options, result, english(submitted_before(entry)))
            case Refused(reason=reason):
                self._stop(options, result, english(reason))
            case Conflict(error=error) | Failed(error=error) | Unknown(error=error):
                self._stop(options, result, _why(error))

    def _enter(self, slug: str, email: str) -> OrgAccess:
        try:
            return enter_org(get_object_or_404(Operator, email__iexact=email), slug)
        except Http404:
            raise CommandError(f"{email} is not a member of {slug}.", returncode=REFUSED) from None

    def _done(
        self, options: dict[str, Any], action: Action, result: Done | NoChange, notice: Notice, *, notes: list[str]
    ) -> None:
        secret = getattr(result, "result", None) if action.secret_result else None
        if options["json"]:
            self.stdout.write(
                json.dumps(_as_json(result.entry) | {"notes": notes} | ({} if secret is None else {"secret": secret}))
            )
            return
        self.stdout.write("\n".join(map(_shown, [english(notice.text), *notes])))
        if secret is not None:
            self.stdout.write(f"{english(action.secret_result)} (not shown again): {secret}")

    def _answered(self, options: dict[str, Any], result: Done | Failed | Unknown, exchange: Exchange) -> None:
        """Print PingOne's answer, also one with an error status, and exit with the matching code."""
        trace = exchange.trace
        if options["json"]:
            told = {
                "outcome": result.recorded_as,
                "status": exchange.status,
                "headers": exchange.headers,
                "body": api_call.json_of(exchange),
                "error_id": trace.error_id,
                "correlation_id": trace.correlation_id,
                "transaction_id": trace.transaction_id,
            }
            self.stdout.write(json.dumps(told))
        else:
            said = f"{exchange.status} {exchange.reason}, {exchange.seconds:.2f} s, transaction {trace.transaction_id}"
            unsure = ["Outcome unknown: the change may have been made."] if isinstance(result, Unknown) else []
            self.stdout.write("\n".join([said, *unsure, *map(_shown, api_call.pretty(exchange).splitlines())]))
        if code := _EXIT_CODES[type(result)]:
            sys.exit(code)

    def _stop(
        self, options: dict[str, Any], result: AlreadySubmitted | Refused | Conflict | Failed | Unknown, text: str
    ) -> None:
        """Exit with the reason why the action was not done."""
        outcome = str(result.recorded_as)
        self._end(options, _EXIT_CODES[type(result)], outcome, text, error=error_of(result))

    def _end(
        self, options: dict[str, Any], code: int, outcome: str, text: str, *, error: PingOneError | None = None
    ) -> None:
        """Print the outcome, as JSON to stdout or as text to stderr, and exit with `code`."""
        trace = error.trace if error else None
        details = [f"{detail.target}: {detail.message or detail.code}" for detail in error.details] if error else []
        if options["json"]:
            told: dict[str, Any] = {"outcome": outcome, "error": text, "details": details}
            if error:
                told |= {"kind": error.kind, "title": english(error.title), "cause": english(error.cause)}
                told["resolution"] = english(resolution_of(error))
            if trace:
                told |= {"error_id": trace.error_id, "transaction_id": trace.transaction_id}
            if error and error.retry_after_s is not None:
                told["retry_after_s"] = error.retry_after_s
            self.stdout.write(json.dumps(told))
            sys.exit(code)
        ids = f" Transaction ID {trace.transaction_id}." if trace and trace.transaction_id else ""
        raise CommandError("\n".join([text + ids, *map(_shown, details)]), returncode=code)


def _add_options(parser: argparse.ArgumentParser, action: Action) -> None:
    if action.needs_user:
        _add_user_option(parser)
    for name, field in action.form.base_fields.items():
        if name not in _NOT_TYPED and name not in action.secret_inputs:
            _add_option(parser, name, field, required=field.required and not action.form.takes_parts)
    for name in sorted(action.secret_inputs):
        parser.epilog = f"Reads {name} from standard input, or prompts for it."
    _add_common_options(parser)


def _add_user_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--user", required=True, metavar="NAME", type=address, help="username, email address or ID")


def _add_call_options(parser: argparse.ArgumentParser) -> None:
    for name, field in CallApiForm.base_fields.items():
        if name != "body":  # may hold secrets, which every process list would show
            _add_option(parser, name, field, required=field.required)
    parser.add_argument("--body-file", metavar="FILE", help="JSON to send; - reads standard input")
    for name in ("ticket", "reason"):
        _add_option(parser, name, ActionForm.base_fields[name], required=False)
    parser.epilog = "Writes need a reason, and a ticket if the organization requires one."
    _add_common_options(parser)


def _add_option(parser: argparse.ArgumentParser, name: str, field: Field, *, required: bool) -> None:
    option = f"--{name.replace('_', '-')}"
    typed = str if isinstance(field, CharField) else identifier  # a text field cleans its own text
    parser.add_argument(
        option, dest=f"input_{name}", required=required, metavar="VALUE", type=typed, help=_help_of(field)
    )


def _add_common_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--as",
        dest="operator",
        required=True,
        metavar="EMAIL",
        type=address,
        help="the operator; their role decides what is allowed",
    )
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")


def _help_of(field: Field) -> str:
    return " ".join(english(part).replace("%", "%%") for part in (field.label or "ID", field.help_text) if part)


def _find(access: OrgAccess, name: str) -> UUID:
    """Return the ID of the only user with this ID, username or email. Raises CommandError."""
    if known := user_id_in(name):
        return known
    attribute = "email" if "@" in name else "username"
    found = _having(access, attribute, name)
    if not found and attribute == "email":
        found = _having(access, "username", name)
    if len(found) != 1:
        raise CommandError(_ambiguous(name) if found else _not_found(name), returncode=FAILED)
    return found[0].id


def _having(access: OrgAccess, attribute: str, value: str) -> tuple[User, ...]:
    sought = visible_users.search_of(access, raw_filter=f"{attribute} eq {literal(value)}")
    return visible_users.search(access, access.pingone(), sought, limit=2).items


def _ambiguous(name: str) -> str:
    return f"{name} matches more than one user. Use the username or the ID."


def _not_found(name: str) -> str:
    return f"No user found for {name}. You only see users in populations that the administrator who connected can see."


def _known(api: PingOneApi, user: User) -> Known:
    """Return the facts for the verdict, with the password and MFA read in parallel."""
    password, mfa_state = at_once(api, lambda api: passwords.state(api, user.id), lambda api: mfa.state(api, user.id))
    return Known(
        user=user,
        password=Gap.FAILED if isinstance(password, PingOneError) else password,
        mfa=Gap.FAILED if isinstance(mfa_state, PingOneError) else mfa_state,
        now=timezone.now(),
    )


def _name_line(user: User) -> str:
    return ", ".join(dict.fromkeys(part for part in (user.display_name, user.username, user.email) if part))


def _verdict_as_json(user: User, standing: Standing, helping: list[Action]) -> dict[str, Any]:
    return {
        "user_id": str(user.id),
        "username": user.username,
        "can_sign_in": str(standing.answer),
        "sentence": english(standing.sentence),
        "facts": [english(fact) for fact in standing.facts],
        "helps": [action.key for action in helping],
    }


def _filled_in(access: OrgAccess, action: Action, user: User | None, options: dict[str, Any]) -> ActionForm:
    """Return the action's form, filled from the command line, with secrets from stdin or a prompt."""
    data = _submitted(action.form(), _typed(options))
    for name in sorted(action.secret_inputs):
        data[name] = sys.stdin.readline().rstrip("\n") if not sys.stdin.isatty() else getpass.getpass(f"{name}: ")
    policy = ticket_policy_for(access, action.key)
    more: dict[str, Any] = {"may_edit": access.may_edit} if action.form.looks_at_schema else {}
    form = action.form(data, policy=policy, limits=action.limits_for(access), user=user, **more)
    _raise_mistakes(form)
    return form


def _typed(options: dict[str, Any]) -> dict[str, str]:
    return {
        name.removeprefix("input_"): str(value)
        for name, value in options.items()
        if name.startswith("input_") and value is not None
    }


def _submitted(blank: ActionForm, typed: dict[str, str]) -> dict[str, str]:
    """Return the data as from a page's form, with a new `submission` for each run."""
    return {"submission": str(blank["submission"].initial), **typed}


def _raise_mistakes(form: Form) -> None:
    if form.is_valid():
        return
    mistakes = [
        f"--{name.replace('_', '-')}: {text}" if name != "__all__" else str(text)
        for name, texts in form.errors.items()
        for text in texts
    ]
    raise CommandError("\n".join(mistakes), returncode=2)


def _content(name: str | None) -> str:
    """Return the text of the file, or of standard input for "-"."""
    if name is None:
        return ""
    try:
        return sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"--body-file: {error}", returncode=2) from error


def _why(error: PingOneError) -> str:
    when = f" Try again in {error.retry_after_s} seconds." if error.retry_after_s is not None else ""
    return f"{english(error.title)}. {english(error.cause)} {english(resolution_of(error))}{when}"


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
        **exported_object_of(entry),
        "before": entry.before,
        "after": entry.after,
        "note": entry.note,
        "transaction_id": str(entry.entry),
    }


def _shown(text: str) -> str:
    """Escape characters that could move the terminal's cursor or change its colors."""
    return "".join(character if character.isprintable() else f"\\u{ord(character):04x}" for character in text)
