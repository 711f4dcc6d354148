"""Dispatch of requests under `/v1`: token, method, media type, permission, then a transaction for writes."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from pingone_integration.sandbox import errors
from pingone_integration.sandbox.errors import ApiError
from pingone_integration.sandbox.models import Environment, User
from pingone_integration.sandbox.oauth.tokens import Caller, InvalidToken, authenticate
from pingone_integration.sandbox.rights import Reach, Rights

VENDOR = "application/vnd.pingidentity."
TRANSACTION_HEADER = "X-Ping-External-Transaction-ID"
MAX_HEADER_BYTES = 6 * 1024  # request line included


@dataclass(kw_only=True)
class Call:
    """An authenticated request. `environment` and `reach` are set if the path names an environment."""

    request: HttpRequest
    caller: Caller
    rights: Rights
    correlation_id: str
    transaction_id: str
    environment: Environment = field(default_factory=Environment)
    reach: Reach = field(default_factory=lambda: Reach(frozenset()))
    now: datetime = field(default_factory=timezone.now)

    @property
    def query(self) -> Mapping[str, str]:
        return self.request.GET

    def url(self, path: str = "") -> str:
        """Return the absolute URL of `path`, such as `users/...`, in the environment."""
        return f"{self.environment_url}{'/' if path else ''}{path}"

    @cached_property
    def environment_url(self) -> str:
        return f"{self.api_url}/environments/{self.environment.id}"

    @cached_property
    def api_url(self) -> str:
        return f"{self.base_url}/v1"

    @cached_property
    def base_url(self) -> str:
        return settings.SANDBOX_URL or self.request.build_absolute_uri("/").rstrip("/")

    def body(self) -> dict[str, Any]:
        """Return the JSON object of the request. Raises INVALID_REQUEST for any other body."""
        try:
            body = json.loads(self.request.body)
        except (ValueError, RecursionError):
            raise errors.malformed("The request body is not valid JSON.") from None
        if not isinstance(body, dict):
            raise errors.malformed("The request body must be a JSON object.")
        return body

    def optional_body(self) -> dict[str, Any]:
        return self.body() if self.request.body.strip() else {}

    def limit(self, *, default: int, maximum: int) -> int:
        value = self.query.get("limit", "")
        if not value:
            return default
        if not re.fullmatch(r"\d{1,9}", value) or int(value) < 1:
            raise errors.invalid_data(
                errors.detail("INVALID_PARAMETER", "limit", "Must be a whole number from 1.", rangeMinimumValue=1)
            )
        return min(int(value), maximum)

    def wants(self, parameter: str, value: str) -> bool:
        """Return whether a comma-separated parameter such as `include` or `expand` names `value`."""
        return value in self.query.get(parameter, "").split(",")

    def user(self, user_id: UUID) -> User:
        """Return a user. Raises NOT_FOUND for a user outside the caller's reach."""
        user = User.objects.select_related("population").filter(id=user_id, environment=self.environment).first()
        if user is None or not self.reach.covers(user.population_id):
            raise errors.not_found()
        return user


@dataclass(frozen=True)
class Handler:
    """A function that answers requests, and the permission it requires."""

    permission: str
    function: Callable[..., HttpResponse | dict[str, Any]]

    def __call__(self, call: Call, **ids: UUID) -> HttpResponse:
        answer = self.function(call, **ids)
        return answer if isinstance(answer, HttpResponse) else JsonResponse(answer)


def permits(permission: str) -> Callable[[Callable[..., HttpResponse | dict[str, Any]]], Handler]:
    """Turn a function into a handler: `@permits("dir:read:user")`."""
    return partial(Handler, permission)


@dataclass(frozen=True)
class MediaTypes:
    """Handlers of one method by media type: `application/json`, or a PingOne suffix such as `account.unlock`.

    PingOne's documentation spells some types without `+json`, so both forms are accepted.
    """

    handlers: dict[str, Handler]

    def choose(self, content_type: str) -> Handler:
        vendor, prefix, name = content_type.partition(VENDOR)
        wanted = name.removesuffix("+json") if prefix else vendor
        known = {name.lower(): handler for name, handler in self.handlers.items()}  # Django lowercases Content-Type
        handler = known.get(wanted)
        if handler is None:
            raise errors.unsupported_media_type()
        return handler


class Resource:
    """The handlers of a path by method: `Resource(GET=read, POST=MediaTypes({...}))`."""

    def __init__(self, **methods: Handler | MediaTypes) -> None:
        self.methods = methods
        self.csrf_exempt = True  # a browser never sends bearer tokens by itself

    def __call__(self, request: HttpRequest, env: UUID | None = None, **ids: UUID) -> HttpResponse:
        correlation_id, transaction_id = str(uuid4()), external_transaction_id(request)
        try:
            response = self._answer(request, env, ids, correlation_id, transaction_id)
        except ApiError as error:
            response = JsonResponse(error.envelope(), status=error.status)
        response["Correlation-Id"] = correlation_id
        response[TRANSACTION_HEADER] = transaction_id
        response["Cache-Control"] = "no-cache, no-store"
        return response

    def _answer(
        self,
        request: HttpRequest,
        env: UUID | None,
        ids: dict[str, UUID],
        correlation_id: str,
        transaction_id: str,
    ) -> HttpResponse:
        if header_bytes(request) > MAX_HEADER_BYTES:
            return HttpResponse("Request Header Fields Too Large", status=431, content_type="text/plain")
        try:
            caller = authenticate(request)
        except InvalidToken:
            raise errors.invalid_token() from None
        if caller.application.type != "WORKER":  # its users reach their own data only, which has no paths here
            raise errors.not_allowed()
        call = Call(
            request=request,
            caller=caller,
            rights=Rights(caller),
            correlation_id=correlation_id,
            transaction_id=transaction_id,
        )
        method = request.headers.get("X-HTTP-Method-Override", request.method or "").upper()
        handler = self._choose(request, method)
        if env is not None:
            _enter_environment(call, env, handler)
        if method == "GET":
            return handler(call, **ids)
        with transaction.atomic():
            return handler(call, **ids)

    def _choose(self, request: HttpRequest, method: str) -> Handler:
        entry = self.methods.get(method)
        if entry is None:
            raise errors.method_not_allowed(method)
        content_type = request.content_type or ""
        if isinstance(entry, MediaTypes):
            return entry.choose(content_type)
        if method not in {"GET", "DELETE"} and content_type != "application/json":
            raise errors.unsupported_media_type()
        return entry


def _enter_environment(call: Call, environment_id: UUID, handler: Handler) -> None:
    """Set environment and reach. Raises 403 for a missing permission or an unknown environment."""
    environment = Environment.objects.filter(id=environment_id).first()
    reach = call.rights.reach(environment, handler.permission) if environment else None
    if environment is None or reach is None:
        raise errors.not_allowed()
    call.environment, call.reach = environment, reach


def created(body: dict[str, Any]) -> HttpResponse:
    return JsonResponse(body, status=201)


def no_content() -> HttpResponse:
    return HttpResponse(status=204)


def external_transaction_id(request: HttpRequest) -> str:
    """Return the caller's id with unsupported characters replaced, or a new id."""
    sent = request.headers.get(TRANSACTION_HEADER, "")[:100]
    return re.sub(r"[^A-Za-z0-9._\-/@=#+]", "_", sent) or str(uuid4())


def header_bytes(request: HttpRequest) -> int:
    headers = sum(len(name) + len(value) + 4 for name, value in request.headers.items())
    return headers + len(request.get_full_path())


def iso(moment: datetime) -> str:
    """Format a time as PingOne does: UTC with milliseconds."""
    moment = moment.astimezone(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def parse_time(value: object, target: str) -> datetime:
    """Parse an ISO 8601 time with an offset. Raises INVALID_VALUE."""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise errors.invalid_value(target, "Must be an ISO 8601 date and time with an offset.")
    return moment


def gateway_refusal(request: HttpRequest, **_: Any) -> HttpResponse:
    """Answer an unknown path as PingOne's gateway does: 403, without the error envelope."""
    message = "Invalid key=value pair (missing equal-sign) in Authorization header."
    return JsonResponse({"message": message}, status=403)


gateway_refusal.csrf_exempt = True  # type: ignore[attr-defined]


def server_error(_request: HttpRequest) -> HttpResponse:
    """Answer an unhandled exception with PingOne's 500 envelope. The traceback is in the log."""
    error = errors.unexpected()
    return JsonResponse(error.envelope(), status=500)
