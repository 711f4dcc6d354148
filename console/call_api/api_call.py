"""Calls of any PingOne endpoint by an org admin: checked, recorded before and after, and shown as answered."""

import json
import shlex
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from console.access import Acting, OrgAccess, Permission
from console.actions.action import Json
from console.actions.affected import NOTHING, Affected
from console.actions.outcome import Done, Failed, Result, Unknown
from console.audit.api_requests import ACTION, harmless_body, harmless_query
from console.audit.entries import Circumstances, Subject
from console.call_api.affected import affected_by
from console.call_api.amounts import amounts_to
from console.models import AuditEntry
from console.perform.operation import After, Before
from console.perform.run import run
from console.rights.roles import CUSTOM
from pingone_integration import profiles, users
from pingone_integration.calls import any_endpoint
from pingone_integration.calls.any_endpoint import Endpoint, Exchange
from pingone_integration.calls.api import READS, PingOneApi
from pingone_integration.errors import NotFound, PingOneError, Trace
from pingone_integration.texts import Text
from pingone_integration.user_search.reads import ANY
from pingone_integration.users import User
from pingone_integration.values import text

_NOT_PROFILE = frozenset({"enabled", "mfaEnabled", "population.id"})  # by resources of their own
LONGEST_SHOWN = 200_000  # characters of an answer on the page


@dataclass(frozen=True, kw_only=True)
class ApiCall:
    """A request from the form, checked."""

    method: str
    endpoint: Endpoint
    media_type: str
    body: str  # JSON; empty: none

    @property
    def writes(self) -> bool:
        return self.method not in READS

    @property
    def query(self) -> str:
        return urlencode(self.endpoint.query)

    @property
    def target(self) -> str:
        """Return the path and query, relative to the environment."""
        return self.endpoint.path + (f"?{self.query}" if self.query else "")

    def inputs(self) -> dict[str, Any]:
        """Return the values to store: those that are known to be harmless."""
        kept = {"method": self.method, "path": self.endpoint.path, "query": harmless_query(self.query)}
        return kept | ({"media_type": self.media_type, "body": self.harmless_body} if self.writes else {})

    @property
    def harmless_body(self) -> str:
        return harmless_body(self.body, media_type=self.media_type, path=self.endpoint.path)


def perform_call(access: OrgAccess, call: ApiCall, circumstances: Circumstances) -> Result:
    """Record the call, send it once, and record its outcome, on the same path as every action.

    The result holds PingOne's answer, an Exchange, whatever its status. Raises the errors of run.
    """
    return run(access, CallOperation(call=call), circumstances)


@dataclass(frozen=True, kw_only=True)
class CallOperation:
    """A call of any endpoint. The console cannot know its effect, so it records no values before and after."""

    call: ApiCall

    key = ACTION
    permission = Permission.CALL_API

    @property
    def asks_for_ticket(self) -> bool:
        return self.call.writes

    @property
    def gives_access(self) -> bool:
        return self.call.writes  # the console cannot know its effect

    @property
    def written_fields(self) -> frozenset[str]:
        """Return the fields of a user's profile that it names, or all if it replaces the profile."""
        affected = self.affected
        if affected.user is None:
            return frozenset()
        if ANY in affected.attributes:
            return frozenset({*profiles.ATTRIBUTES, CUSTOM})
        return frozenset(name for path in affected.attributes - _NOT_PROFILE for name in profiles.names_at(path))

    @property
    def subject(self) -> Subject:
        return Subject(kind=AuditEntry.Subject.API, name=f"{self.call.method} {self.call.endpoint.path}")

    @property
    def affected(self) -> Affected:
        call = self.call
        if not call.writes:
            return NOTHING
        found = affected_by(method=call.method, path=call.endpoint.path, media_type=call.media_type, body=call.body)
        return replace(found, amounts_to=amounts_to(call.method, call.endpoint.path, found))

    def problem_with(self, access: Acting, circumstances: Circumstances) -> Text:
        return ""

    def recorded_inputs(self) -> Json:
        return self.call.inputs()

    def whole_inputs(self) -> Json:
        call = self.call
        return {"method": call.method, "target": call.target, "media_type": call.media_type, "body": call.body}

    def foreseen(self) -> None:
        return None

    def look(self, api: PingOneApi) -> Before:
        """Read the user whom it acts on, if any."""
        user_id = self.affected.user
        try:
            user = users.get(api, user_id) if user_id else None
        except NotFound:
            user = None
        return Before(subject=self.subject, user=user)

    def _new_contacts(self, api: PingOneApi) -> User | None:
        """Read the user again if an address may be new: both are told. None if there is no such user, or no answer."""
        affected = self.affected
        try:
            return users.get(api, affected.user) if affected.user and affected.contacts else None
        except PingOneError:
            return None

    def run(self, api: PingOneApi) -> Exchange:
        call = self.call
        body = call.body if call.writes else None
        return any_endpoint.call(api, call.method, call.endpoint, body=body, media_type=call.media_type)

    def was_so(self, before: Before, refusal: PingOneError) -> bool:
        return False

    def settle(self, api: PingOneApi, before: Before, result: Exchange, *, empty: Trace | None = None) -> After:
        """Return the outcome. A write that ended in 5xx may have happened; a read changes nothing."""
        status = result.status
        outcome: type[Done | Failed | Unknown] = Done
        if status >= 400:
            outcome = Unknown if self.call.writes and status >= 500 else Failed
        error = PingOneError(trace=result.trace) if status >= 400 else None
        user = self._new_contacts(api) if outcome is not Failed else None
        return After(outcome=outcome, result=result, values={"status": status}, error=error, user=user)


def pretty(exchange: Exchange) -> str:
    """Return JSON indented and other text unchanged, at most LONGEST_SHOWN characters."""
    try:
        shown = json.dumps(json.loads(exchange.body), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        shown = exchange.body
    return text(shown)[:LONGEST_SHOWN]


def json_of(exchange: Exchange) -> Any:
    """Return the answer's JSON, or its text if it is not JSON."""
    try:
        body = json.loads(exchange.body)
        json.dumps(body, allow_nan=False)  # Python also reads NaN and Infinity, which are not JSON
    except (ValueError, RecursionError):
        return exchange.body
    return body


def as_curl(call: ApiCall, base_url: str) -> str:
    """Return the call as a curl command, with the token in a shell variable."""
    parts = ["curl", "--request", call.method, "--header", '"Authorization: Bearer $PINGONE_TOKEN"']
    if call.writes and (call.body or call.media_type != any_endpoint.MEDIA_TYPES[0]):
        parts += ["--header", shlex.quote(f"Content-Type: {call.media_type}")]
    if call.writes and call.body:
        parts += ["--data", shlex.quote(call.body)]
    return " ".join([*parts, shlex.quote(base_url + call.target)])
