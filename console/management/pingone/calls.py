"""Call API in a terminal."""

import argparse
import sys
from typing import Any

from django.conf import settings
from django.urls import reverse

from console.access import OrgAccess, Permission
from console.actions.demands import Demand, ticket_policy_for
from console.actions.forms import ActionForm
from console.actions.notices import submitted_before
from console.actions.outcome import AlreadySubmitted, Conflict, Done, Failed, Refused, Unknown
from console.audit.api_requests import ACTION as CALL_API
from console.call_api import api_call
from console.call_api.forms import CallApiForm, SendWriteForm
from console.management.pingone import options
from console.management.pingone.terminal import EXIT_CODES, Terminal, needs_approval, why
from pingone_integration.calls.any_endpoint import Exchange
from pingone_integration.errors import NoEnvironmentChosen
from pingone_integration.texts import english


def add(kinds: Any) -> None:
    kind = kinds.add_parser(CALL_API, help="Call API", description="Calls any PingOne endpoint of the environment.")
    _add_options(kind)
    kind.set_defaults(run=_call)


def _add_options(parser: argparse.ArgumentParser) -> None:
    for name, field in CallApiForm.base_fields.items():
        if name != "body":  # may hold secrets, which every process list would show
            options.add_field(parser, name, field, required=field.required)
    parser.add_argument("--body-file", metavar="FILE", help="JSON to send; - reads standard input")
    options.add_ticket_and_reason(parser)
    parser.epilog = "Writes need a reason, and a ticket if the organization requires one."
    options.add_common(parser)


def _call(access: OrgAccess, terminal: Terminal, given: dict[str, Any]) -> None:
    access.require(Permission.CALL_API)
    environment_id = access.org.connection.managed_environment_id
    if environment_id is None:
        raise NoEnvironmentChosen
    typed = options.typed(given)
    body = options.content("--body-file", given["body_file"])
    form = CallApiForm(typed | {"body": body}, environment_id=environment_id)
    options.raise_mistakes(form)
    why_form: ActionForm = ActionForm(options.submitted(ActionForm(), typed))
    if form.call.writes:
        policy = ticket_policy_for(access, CALL_API)
        why_form = SendWriteForm(options.submitted(SendWriteForm(), typed), policy=policy)
    options.raise_mistakes(why_form)
    result = api_call.perform_call(access, form.call, options.circumstances_of(why_form, given))
    match result:
        case Done(result=Exchange() as exchange) | Failed(result=Exchange() as exchange):
            _answered(terminal, result, exchange)
        case Unknown(result=Exchange() as exchange):
            _answered(terminal, result, exchange)
        case AlreadySubmitted(entry=entry):
            terminal.stop(result, english(submitted_before(entry)))
        case Refused(reason=reason, demands=demands):
            page = settings.PUBLIC_URL + reverse("call-api", args=[access.org.slug])
            if Demand.APPROVAL in demands:
                terminal.stop(result, needs_approval(result))
            terminal.stop(result, english(reason), page=page if Demand.FRESH_SIGN_IN in demands else "")
        case Conflict(error=error) | Failed(error=error) | Unknown(error=error):
            terminal.stop(result, why(error))


def _answered(terminal: Terminal, result: Done | Failed | Unknown, exchange: Exchange) -> None:
    """Print PingOne's answer, also one with an error status, and exit with the matching code."""
    trace = exchange.trace
    if terminal.as_json:
        terminal.json(
            {
                "outcome": result.recorded_as,
                "status": exchange.status,
                "headers": exchange.headers,
                "body": api_call.json_of(exchange),
                "error_id": trace.error_id,
                "correlation_id": trace.correlation_id,
                "transaction_id": trace.transaction_id,
            }
        )
    else:
        said = f"{exchange.status} {exchange.reason}, {exchange.seconds:.2f} s, transaction {trace.transaction_id}"
        unsure = ["Outcome unknown: the change may have been made."] if isinstance(result, Unknown) else []
        terminal.lines([said, *unsure, *api_call.pretty(exchange).splitlines()])
    if code := EXIT_CODES[type(result)]:
        sys.exit(code)
