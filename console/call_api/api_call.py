"""Any PingOne endpoint called for an org admin: checked, on record before and after, and shown as it was answered."""

import json
import re
import shlex
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from console.access import OrgAccess, Permission
from console.actions.action import Json
from console.actions.outcome import Done, Failed, Result, Unknown
from console.audit.entries import Circumstances, Subject
from console.models import AuditEntry
from console.perform import After, Before, run
from pingone_integration import endpoints
from pingone_integration.calls.api import READS, PingOneApi
from pingone_integration.endpoints import Endpoint, Exchange
from pingone_integration.errors import PingOneError
from pingone_integration.values import text

ACTION = "api.call"
LEFT_OUT = "(left out)"
LONGEST_SHOWN = 200_000  # characters of an answer on the page

_SECRET_NAME = re.compile(r"pass|secret|token|code|otp|pin$|assertion|credential|private|\bkey\b|^key$", re.IGNORECASE)
_SECRET_MEDIA_TYPE = re.compile(r"password|otp|verif|import", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class ApiCall:
    """A request as somebody composed it, checked."""

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
        """Path and query, under the environment."""
        return self.endpoint.path + (f"?{self.query}" if self.query else "")

    def inputs(self) -> dict[str, Any]:
        """What is kept of it: everything but the secrets of its body."""
        kept = {"method": self.method, "path": self.endpoint.path, "query": self.query}
        return kept | ({"media_type": self.media_type, "body": without_secrets(self)} if self.writes else {})


def perform_call(access: OrgAccess, call: ApiCall, circumstances: Circumstances) -> Result:
    """Put the call on record, send it once, and record what came of it: on the path of every action.

    The result holds PingOne's answer, an Exchange, whatever its status. Raises as perform.run.
    """
    return run(access, CallOperation(call=call), circumstances)


@dataclass(frozen=True, kw_only=True)
class CallOperation:
    """A call of any endpoint, of which nobody knows what it is about: there is nothing to read before and after."""

    call: ApiCall

    key = ACTION
    permission = Permission.CALL_API

    @property
    def asks_for_ticket(self) -> bool:
        return self.call.writes

    @property
    def subject(self) -> Subject:
        return Subject(kind=AuditEntry.Subject.API, name=f"{self.call.method} {self.call.endpoint.path}")

    def recorded_inputs(self) -> Json:
        return self.call.inputs()

    def look(self, api: PingOneApi) -> Before:
        return Before(subject=self.subject)

    def run(self, api: PingOneApi) -> Exchange:
        call = self.call
        body = call.body if call.writes else None
        return endpoints.call(api, call.method, call.endpoint, body=body, media_type=call.media_type)

    def settle(self, api: PingOneApi, before: Before, result: Exchange) -> After:
        """A write that ended in 5xx may have been done; a read never did anything."""
        status = result.status
        outcome: type[Done | Failed | Unknown] = Done
        if status >= 400:
            outcome = Unknown if self.call.writes and status >= 500 else Failed
        error = PingOneError(trace=result.trace) if status >= 400 else None
        return After(outcome=outcome, result=result, values={"status": status}, error=error)


def without_secrets(call: ApiCall) -> str:
    """The body with every value that may be a secret left out; all of it when it is about secrets as such."""
    if not call.body:
        return ""
    everything = bool(_SECRET_MEDIA_TYPE.search(call.media_type) or _SECRET_NAME.search(call.endpoint.path))
    return json.dumps(_without_secrets(json.loads(call.body), everything=everything), ensure_ascii=False)


def pretty(exchange: Exchange) -> str:
    """JSON indented, anything else as it came, and no more of it than a page can show."""
    try:
        shown = json.dumps(json.loads(exchange.body), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        shown = exchange.body
    return text(shown)[:LONGEST_SHOWN]


def json_of(exchange: Exchange) -> Any:
    """The answer's JSON; its text, when it is none."""
    try:
        body = json.loads(exchange.body)
        json.dumps(body, allow_nan=False)  # Python reads NaN and numbers without end, which are not JSON's
    except (ValueError, RecursionError):
        return exchange.body
    return body


def as_curl(call: ApiCall, base_url: str) -> str:
    """The call for a terminal, the token left to a variable of the shell."""
    parts = ["curl", "--request", call.method, "--header", '"Authorization: Bearer $PINGONE_TOKEN"']
    if call.writes and (call.body or call.media_type != endpoints.MEDIA_TYPES[0]):
        parts += ["--header", shlex.quote(f"Content-Type: {call.media_type}")]
    if call.writes and call.body:
        parts += ["--data", shlex.quote(call.body)]
    return " ".join([*parts, shlex.quote(base_url + call.target)])


def _without_secrets(value: Any, *, everything: bool) -> Any:
    if isinstance(value, dict):
        return {
            name: _without_secrets(item, everything=everything or bool(_SECRET_NAME.search(name)))
            for name, item in value.items()
        }
    if isinstance(value, list):
        return [_without_secrets(item, everything=everything) for item in value]
    return LEFT_OUT if everything and value is not None and not isinstance(value, bool) else value
