"""Raw calls to any endpoint of the managed environment, by a path that cannot leave it (SSRF)."""

import re
import time
from dataclasses import dataclass, field
from urllib.parse import parse_qsl
from uuid import UUID

import httpx
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from pingone_integration.calls.api import JSON, PingOneApi
from pingone_integration.calls.responses import json_object, traced
from pingone_integration.errors import InvalidValue, Trace
from pingone_integration.texts import Text
from pingone_integration.typed.text import Kind, clean, named

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")
LONGEST_PATH = 500
LONGEST_QUERY = 4000  # PingOne refuses request headers, URL included, above 6 KB

_SEGMENT = re.compile(r"[A-Za-z0-9_~-]+(?:\.[A-Za-z0-9_~-]+)*")  # all that PingOne needs; no dot segments
_ENVIRONMENT_PREFIX = re.compile(r"/?(?:v1/)?environments/([^/]*)(?=/|$)")
# What some readers take for an ID: without hyphens, or with fewer digits. One ID must have one spelling, because
# limits and the record go by it.
_ODD_ID = re.compile(r"[0-9a-f]{32}|[0-9a-f]+(?:-[0-9a-f]+){4}", re.IGNORECASE)
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_MEDIA_TYPE = re.compile(r"application/[a-z0-9.+-]+(?:; ?charset=utf-8)?", re.IGNORECASE)

# Source: PingOne API reference, the operations of users, passwords, devices (read 2026-11).
MEDIA_TYPES = (
    JSON,
    "application/vnd.pingidentity.account.lock+json",
    "application/vnd.pingidentity.account.unlock+json",
    "application/vnd.pingidentity.device.activate+json",
    "application/vnd.pingidentity.device.block+json",
    "application/vnd.pingidentity.device.unblock+json",
    "application/vnd.pingidentity.device.unlock+json",
    "application/vnd.pingidentity.devices.order.remove+json",
    "application/vnd.pingidentity.devices.reorder+json",
    "application/vnd.pingidentity.password.check+json",
    "application/vnd.pingidentity.password.forceChange",
    "application/vnd.pingidentity.password.recover+json",
    "application/vnd.pingidentity.password.reset+json",
    "application/vnd.pingidentity.password.sendRecoveryCode+json",
    "application/vnd.pingidentity.password.set+json",
    "application/vnd.pingidentity.password.setValue+json",
    "application/vnd.pingidentity.password.unlock+json",
    "application/vnd.pingidentity.user.emailVerification.send+json",
    "application/vnd.pingidentity.user.emailVerification.verify+json",
    "application/vnd.pingidentity.user.import+json",
    "application/vnd.pingidentity.user.sendVerificationCode+json",
    "application/vnd.pingidentity.user.verify+json",
)

# Suggestions for a typed path; {user} and the like are placeholders for IDs.
# Source: PingOne API reference, table of contents (read 2026-11).
SUGGESTED_PATHS: tuple[tuple[str, Text], ...] = (
    ("/users", _("List or create users")),
    ("/users/{user}", _("Read, change or delete a user. Unlock with a content type")),
    ("/users/{user}/enabled", _("Activate or deactivate")),
    ("/users/{user}/password", _("Password state. Recovery code, unlock or forced change with a content type")),
    ("/users/{user}/population", _("Move to another population")),
    ("/users/{user}/memberOfGroups", _("Group memberships")),
    ("/users/{user}/mfaEnabled", _("MFA on or off")),
    ("/users/{user}/bypassMFA", _("MFA bypass")),
    ("/users/{user}/devices", _("MFA devices")),
    ("/users/{user}/sessions", _("Sessions")),
    ("/users/{user}/roleAssignments", _("Administrator roles")),
    ("/groups", _("List or create groups")),
    ("/groups/{group}", _("Read, replace or delete a group")),
    ("/groups/{group}/roleAssignments", _("Roles assigned to a group")),
    ("/populations", _("List or create populations")),
    ("/populations/{population}", _("Read, replace or delete a population")),
    ("/schemas", _("User schema")),
    ("/schemas/{schema}/attributes", _("Attributes of the user schema")),
    ("/passwordPolicies", _("Password policies")),
    ("/capabilities", _("License limits")),
    ("/roles", _("Roles of the environment")),
    ("/applications", _("Applications")),
    ("/signOnPolicies", _("Sign-on policies")),
    ("/identityProviders", _("External identity providers")),
    ("/activities", _("Audit activities. The filter must contain a time range")),
)

# Response headers that help to debug.
TELLING_HEADERS = ("content-type", "correlation-id", "x-ping-external-transaction-id", "retry-after", "date")


class UnsafePath(ValueError):
    """A path, query or content type that is not allowed; the text says why and what to type instead."""


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """A path under the environment, and its query."""

    path: str  # "/users/<id>": only segments of plain letters, digits, `-`, `_`, `~` and inner dots
    query: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One call and PingOne's response, of any status."""

    status: int
    reason: str
    seconds: float
    size: int  # bytes of the body
    headers: dict[str, str] = field(default_factory=dict)  # TELLING_HEADERS only
    body: str
    trace: Trace


def parse_endpoint(text: str, *, environment_id: UUID) -> Endpoint:
    """Parse a typed or copied path: `users?limit=5`, `/v1/environments/<environment_id>/users`.

    Raises UnsafePath for anything but a plain path under `environment_id`. It refuses, and does not repair: an
    absolute URL, a step up, anything percent-encoded, another environment.
    """
    path, _mark, query = clean(text, Kind.CODE).partition("?")
    if len(path) > LONGEST_PATH or len(query) > LONGEST_QUERY:
        raise UnsafePath(
            format_lazy(
                _("This is too long. Use at most {path} characters for the path and {query} for the query."),
                path=LONGEST_PATH,
                query=LONGEST_QUERY,
            )
        )
    if "://" in path or path.startswith("//"):
        raise UnsafePath(_("Enter only a path, such as /users. The connection sets the host and the environment."))
    named = _ENVIRONMENT_PREFIX.match(path)
    if named:
        if named[1].lower() != str(environment_id):
            raise UnsafePath(
                format_lazy(
                    _("This connection reaches only environment {environment}. Enter the part of the path after it."),
                    environment=str(environment_id),
                )
            )
        path = path[named.end() :]
    segments = path.strip("/").split("/") if path.strip("/") else []
    if not segments and not named:
        raise UnsafePath(_("Enter a path in the environment, such as /users or /populations."))
    for segment in segments:
        if not _SEGMENT.fullmatch(segment):
            raise UnsafePath(_why_not(segment))
        if _is_odd_id(segment):
            raise UnsafePath(format_lazy(_("Write the ID {id} in five parts of 8-4-4-4-12 digits."), id=segment))
    return Endpoint(path="".join(f"/{segment}" for segment in segments), query=parse_query(query))


def parse_query(text: str) -> tuple[tuple[str, str], ...]:
    """Parse `limit=5&filter=...`, with or without its question mark. Raises UnsafePath."""
    text = clean(text, Kind.VERBATIM).removeprefix("?")
    if len(text) > LONGEST_QUERY:
        raise UnsafePath(format_lazy(_("The query is too long. Use at most {most} characters."), most=LONGEST_QUERY))
    if not text:
        return ()
    try:
        return tuple(parse_qsl(text, keep_blank_values=True, strict_parsing=True, errors="strict"))
    except ValueError:
        raise UnsafePath(
            _("Enter the query as name=value pairs joined by &, such as limit=25&expand=population.")
        ) from None


def parse_media_type(text: str) -> str:
    """Parse a JSON-like media type. Raises UnsafePath otherwise, which prevents header injection."""
    text = clean(text, Kind.ID)
    if not _MEDIA_TYPE.fullmatch(text):
        raise UnsafePath(_("Enter a content type such as application/json or application/vnd.pingidentity....+json."))
    return text


def call(
    api: PingOneApi, method: str, endpoint: Endpoint, *, body: str | None = None, media_type: str = JSON
) -> Exchange:
    """Send a call with an unchanged `body`, and return the response of any status. Follows no redirect.

    Raises InvalidValue, ConnectionFailure, RateLimited, or Unavailable (after a write: outcome unknown).
    """
    if method not in METHODS:
        raise InvalidValue(f"{method} is not a method that PingOne has")
    trace = Trace(transaction_id=str(api.transaction_id), call=f"{method} {endpoint.path}")
    started = time.perf_counter()
    response = api.exchange(method, endpoint.path, query=endpoint.query, content=body, media_type=media_type)
    return Exchange(
        status=response.status_code,
        reason=httpx.codes.get_reason_phrase(response.status_code),
        seconds=time.perf_counter() - started,
        size=len(response.content),
        headers={name: response.headers[name] for name in TELLING_HEADERS if name in response.headers},
        body=response.text,
        trace=traced(response, json_object(response) or {}, trace),
    )


def _is_odd_id(segment: str) -> bool:
    """Return whether a segment is an ID in another than the usual spelling."""
    joined = segment.replace("-", "")
    return not _ID.fullmatch(segment) and any(_ODD_ID.fullmatch(one) for one in (segment, joined))


def _why_not(segment: str) -> Text:
    if segment in {"", ".", ".."}:
        return _("Remove the empty parts, . and .. from the path.")
    odd = sorted({character for character in segment if not re.fullmatch(r"[A-Za-z0-9_~.-]", character)})
    if odd:
        shown = format_lazy(", ".join(["{}"] * len(odd[:5])), *map(named, odd[:5]))
        return format_lazy(
            _("Remove {characters} from the path. Use letters, digits, hyphens, underscores and dots only."),
            characters=shown,
        )
    return _("No part of a path can begin or end with a dot, or have two dots in a row.")
