"""Every effect that a Fault can have on a request, as data."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from uuid import uuid4

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse

from pingone_integration.sandbox import errors
from pingone_integration.sandbox.api.endpoint import TRANSACTION_HEADER, external_transaction_id
from pingone_integration.sandbox.errors import ApiError
from pingone_integration.sandbox.faults import wire
from pingone_integration.sandbox.models import Fault

GetResponse = Callable[[HttpRequest], HttpResponse]
HUGE_BYTES = 8 * 1024 * 1024
PIECES = 20  # of a slow body


@dataclass(frozen=True)
class Effect:
    label: str
    apply: Callable[[Fault, HttpRequest, GetResponse], HttpResponseBase]
    parts: frozenset[str] = frozenset(Fault.Part)  # the parts of the sandbox that can have it
    waits: bool = False  # it lasts the fault's `seconds`


def late(fault: Fault, request: HttpRequest, get_response: GetResponse) -> HttpResponseBase:
    """Carry out the request, then answer late. A client that times out has still made its change."""
    response = get_response(request)
    _wait(fault, request, fault.seconds)
    return response


def hang(fault: Fault, request: HttpRequest, get_response: GetResponse) -> HttpResponseBase:
    _wait(fault, request, fault.seconds)
    return wire.close(request)


def reset(fault: Fault, request: HttpRequest, get_response: GetResponse) -> HttpResponseBase:
    return wire.reset(request)


def lose_answer(fault: Fault, request: HttpRequest, get_response: GetResponse) -> HttpResponseBase:
    """Carry out the request, then reset. The change is committed before there is a response."""
    get_response(request)
    return wire.reset(request)


def refuse(
    error: Callable[[], ApiError], fault: Fault, request: HttpRequest, get_response: GetResponse
) -> HttpResponseBase:
    """Answer in PingOne's envelope, with Retry-After if the fault has one."""
    refusal = error()
    response = JsonResponse(refusal.envelope(), status=refusal.status)
    response["Correlation-Id"] = str(uuid4())
    response[TRANSACTION_HEADER] = external_transaction_id(request)
    return _with_retry_after(fault, response)


def gateway_page(
    status: int, reason: str, fault: Fault, request: HttpRequest, get_response: GetResponse
) -> HttpResponseBase:
    """Answer as a gateway in front of PingOne."""
    page = f"<html>\n<head><title>{status} {reason}</title></head>\n<body><h1>{status} {reason}</h1></body>\n</html>\n"
    return _with_retry_after(fault, HttpResponse(page, status=status, content_type="text/html"))


def html(fault: Fault, request: HttpRequest, get_response: GetResponse) -> HttpResponseBase:
    """Answer 200 with HTML instead of JSON, like a captive portal or a proxy's sign-in page."""
    return HttpResponse("<!DOCTYPE html>\n<title>Welcome</title>\n<p>Sign in to the network.</p>\n")


def cut_json(fault: Fault, request: HttpRequest, get_response: GetResponse) -> HttpResponseBase:
    """Cut the JSON in half. The HTTP response is complete."""
    response = get_response(request)
    response.content = response.content[: len(response.content) // 2]
    response["Content-Length"] = str(len(response.content))
    return response


def huge(fault: Fault, request: HttpRequest, get_response: GetResponse) -> HttpResponseBase:
    return StreamingHttpResponse(_huge_json(), content_type="application/json")


def _huge_json() -> Iterator[bytes]:
    chunk = b"x" * 64 * 1024
    yield b'{"padding": "'
    for _ in range(HUGE_BYTES // len(chunk)):
        yield chunk
    yield b'"}'


def slow_body(fault: Fault, request: HttpRequest, get_response: GetResponse) -> HttpResponseBase:
    response = get_response(request)
    pause = partial(_wait, fault, request, fault.seconds / PIECES)
    return StreamingHttpResponse(
        wire.trickle(response.content, PIECES, pause), status=response.status_code, headers=dict(response.items())
    )


@dataclass(frozen=True)
class OAuthError:
    """An error of the token endpoint: not in the envelope, with a correlation ID at the end."""

    status: int
    code: str
    description: str

    def __call__(self, fault: Fault, request: HttpRequest, get_response: GetResponse) -> HttpResponseBase:
        correlation_id = uuid4()
        body = {"error": self.code, "error_description": f"{self.description} (Correlation ID: {correlation_id})"}
        headers = {"Cache-Control": "no-store", "Pragma": "no-cache", "Correlation-Id": str(correlation_id)}
        return JsonResponse(body, status=self.status, headers=headers)


def _wait(fault: Fault, request: HttpRequest, seconds: float) -> None:
    wire.wait(request, seconds, while_=Fault.objects.filter(pk=fault.pk).exists)


def _with_retry_after(fault: Fault, response: HttpResponse) -> HttpResponse:
    if fault.retry_after:
        response["Retry-After"] = fault.retry_after
    return response


ON_THE_WIRE = {
    "latency": Effect("Run the request, respond late", late, waits=True),
    "hang": Effect("Hang, then close the connection", hang, waits=True),
    "reset": Effect("Reset the connection without running the request", reset),
    "answer-lost": Effect("Run the request, lose the response", lose_answer),
    "slow-body": Effect("Run the request, respond slowly", slow_body, waits=True),
}
STATUSES = {
    "405": Effect("405 Method not allowed", partial(refuse, partial(errors.method_not_allowed, "This method"))),
    "429": Effect("429 Too many requests", partial(refuse, errors.too_many_requests)),
    "500": Effect("500 Unexpected error", partial(refuse, errors.unexpected)),
    "502": Effect("502 Bad gateway, as HTML", partial(gateway_page, 502, "Bad Gateway")),
    "503": Effect("503 Service unavailable", partial(refuse, errors.unavailable)),
    "504": Effect("504 Gateway timeout, as HTML", partial(gateway_page, 504, "Gateway Timeout")),
}
BODIES = {
    "html": Effect("An HTML page instead of JSON", html),
    "cut-json": Effect("JSON that ends in the middle", cut_json),
    "huge": Effect("Eight megabytes of JSON", huge),
}
OAUTH_ERRORS = {
    code: Effect(f"{code}: {label}", OAuthError(status, code, description), frozenset({Fault.Part.TOKEN}))
    for status, code, label, description in (
        (401, "invalid_client", "wrong ID, secret or method", "Client authentication failed"),
        (400, "invalid_grant", "code or refresh token used up", "The code or refresh token cannot be used"),
        (400, "unauthorized_client", "grant type turned off", "The grant type is not allowed for the client"),
        (400, "invalid_request", "malformed", "The request is malformed"),
        (400, "unsupported_grant_type", "unknown grant type", "Unsupported grant type"),
        (400, "invalid_scope", "scope not granted", "A scope is not granted to the client"),
        (500, "server_error", "internal error at PingOne", "An unexpected error occurred"),
        (503, "temporarily_unavailable", "overload or maintenance", "The server cannot answer at present"),
    )
}
EFFECTS = ON_THE_WIRE | STATUSES | BODIES | OAUTH_ERRORS
