"""An action of the catalogue on one user."""

import argparse
import getpass
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.urls import reverse

from console import visible_users
from console.access import OrgAccess
from console.actions.catalogue import ACTIONS, Action
from console.actions.demands import Demand, ticket_policy_for
from console.actions.forms import ActionForm
from console.actions.notices import Notice, notice_of
from console.actions.outcome import Done, NoChange, Refused, user_of
from console.audit.objects import exported_object_of
from console.management.pingone import options
from console.management.pingone.find import find
from console.management.pingone.terminal import Terminal, input_stream, needs_approval, why
from console.models import AuditEntry
from console.perform.user_operation import perform
from pingone_integration.texts import english
from pingone_integration.users import User

_NOT_TYPED = {"submission", "seen_at", "seen", "formatted_offered"}  # hidden fields of a page's form


def add(kinds: Any) -> None:
    for action in ACTIONS:
        described = f"{english(action.does)} {english(action.leaves)}"
        kind = kinds.add_parser(action.key, help=english(action.name), description=described)
        _add_options(kind, action)
        kind.set_defaults(run=partial(_perform, action))


def _add_options(parser: argparse.ArgumentParser, action: Action) -> None:
    if action.needs_user:
        options.add_user(parser)
    for name, field in action.form.base_fields.items():
        if name not in _NOT_TYPED and name not in action.secret_inputs:
            options.add_field(parser, name, field, required=field.required and not action.form.takes_parts)
    for name in sorted(action.secret_inputs):
        parser.epilog = f"Reads {name} from standard input, or prompts for it."
    options.add_common(parser)


def _perform(action: Action, access: OrgAccess, terminal: Terminal, given: dict[str, Any]) -> None:
    access.require_to(action)
    user_id = find(access, given["user"]) if action.needs_user else None
    user = None
    if user_id and action.form.looks_at_user:
        user = visible_users.get(access, access.pingone(), user_id)
    form = _filled_in(access, action, user, given)
    result = perform(access, action, user_id, form.inputs(), options.circumstances_of(form, given))
    known, entry = user_of(result), result.entry
    name = known.username if known else entry.subject_name if entry else ""
    notice = notice_of(result, action, name=name, in_words=why)
    match result:
        case Done() | NoChange():
            notes = form.notes if isinstance(result, Done) else []
            _done(terminal, action, result, notice, notes=list(map(english, notes)))
        case Refused(demands=demands) if Demand.FRESH_SIGN_IN in demands:
            terminal.stop(result, english(notice.text), page=_page(access, action, user_id))
        case Refused(demands=demands) if Demand.APPROVAL in demands:
            terminal.stop(result, needs_approval(result))
        case _:
            terminal.stop(result, english(notice.text))


def _page(access: OrgAccess, action: Action, user_id: UUID | None) -> str:
    """Return the address where the action can be done after a fresh sign-in."""
    slug = access.org.slug
    path = reverse("user-action", args=[slug, user_id, action.key]) if user_id else reverse("new-user", args=[slug])
    return f"{settings.PUBLIC_URL}{path}"


def _filled_in(access: OrgAccess, action: Action, user: User | None, given: dict[str, Any]) -> ActionForm:
    """Return the action's form, filled from the command line, with secrets from stdin or a prompt."""
    data = options.submitted(action.form(), options.typed(given))
    stdin = input_stream()
    for name in sorted(action.secret_inputs):
        data[name] = stdin.readline().rstrip("\n") if not stdin.isatty() else getpass.getpass(f"{name}: ")
    policy = ticket_policy_for(access, action.key)
    more: dict[str, Any] = {"may_edit": access.may_edit} if action.form.looks_at_schema else {}
    form = action.form(data, policy=policy, limits=action.limits_for(access), user=user, **more)
    options.raise_mistakes(form)
    return form


def _done(terminal: Terminal, action: Action, result: Done | NoChange, notice: Notice, *, notes: list[str]) -> None:
    secret = getattr(result, "result", None) if action.secret_result else None
    if terminal.as_json:
        told = _as_json(result.entry) | {"notes": notes}
        terminal.json(told if secret is None else told | {"secret": secret})
        return
    terminal.lines([english(notice.text), *notes])
    if secret is not None:
        terminal.lines([f"{english(action.secret_result)} (not shown again): {secret}"])


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
