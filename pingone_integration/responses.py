"""Reading PingOne's answers: its error envelope, and whatever else may come instead."""

from typing import Any

import httpx

from pingone_integration import errors
from pingone_integration.errors import Detail, PingOneError, Trace


def raise_for_error(response: httpx.Response, trace: Trace, *, wrote: bool) -> dict[str, Any]:
    """The JSON object of a success, `{}` when the body is empty; raises the PingOneError that fits a failure."""
    body = _json_object(response)
    if response.is_success:
        if body is None and response.content:
            raise errors.Unavailable("not JSON", trace=_traced(response, {}, trace), outcome_known=not wrote)
        return body or {}
    raise error_of(response, body or {}, trace, wrote=wrote)


def error_of(response: httpx.Response, body: dict[str, Any], trace: Trace, *, wrote: bool) -> PingOneError:
    """Branches on the status class first: PingOne moves codes between statuses over time."""
    status = response.status_code
    details = tuple(_details(body))
    codes = {detail.code for detail in details}
    more: dict[str, Any] = {"details": details, "trace": _traced(response, body, trace)}
    message = str(body.get("message", ""))
    if status == 429:
        return errors.RateLimited(message, retry_after_s=_retry_after(response), **more)
    if status >= 500:
        return errors.Unavailable(message, outcome_known=not wrote, **more)
    if status == 401:
        return errors.TokenRefreshFailure(message, **more)
    if status == 403:
        return errors.MissingPermission(message, **more)
    if status == 404:
        return errors.NotFound(message, **more)
    if "UNIQUENESS_VIOLATION" in codes:
        return errors.Duplicate(message, **more)
    if status == 415 or body.get("code") == "REQUEST_FAILED" or codes & {"NO_PASSWORD", "ACCOUNT_NOT_USABLE"}:
        return errors.RefusedByState(message, **more)
    if status in {400, 409}:
        return errors.InvalidValue(message, **more)
    return PingOneError(message, **more)


def _json_object(response: httpx.Response) -> dict[str, Any] | None:
    try:
        body = response.json()
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _details(body: dict[str, Any]) -> list[Detail]:
    entries = body.get("details")
    return [
        Detail(
            code=str(entry.get("code", "")),
            target=str(entry.get("target", "")),
            message=str(entry.get("message", "")),
            inner=inner if isinstance(inner := entry.get("innerError"), dict) else {},
        )
        for entry in (entries if isinstance(entries, list) else [])
        if isinstance(entry, dict)
    ]


def _traced(response: httpx.Response, body: dict[str, Any], trace: Trace) -> Trace:
    return Trace(
        status=response.status_code,
        code=str(body["code"]) if body.get("code") else None,
        error_id=str(body["id"]) if body.get("id") else None,
        correlation_id=response.headers.get("Correlation-Id"),
        transaction_id=trace.transaction_id,
        call=trace.call,
    )


def _retry_after(response: httpx.Response) -> int | None:
    value = response.headers.get("Retry-After", "")
    return int(value) if value.isdigit() else None
