"""Parsing of PingOne's responses: JSON, the error envelope, OAuth errors, and anything else."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from pingone_integration import errors
from pingone_integration.calls import empty_answers
from pingone_integration.errors import Detail, PingOneError, Trace
from pingone_integration.values import text

_CORRELATION_ID = re.compile(r"correlation[ -]?id\W+([\w-]{8,64})", re.IGNORECASE)

_REGULAR_EXPRESSION = re.compile(r"\\[pPdDwWsS]|[\^(|][\[(\\]|[\])][*+?}]|[*+\])]\$")


def object_of(response: httpx.Response, trace: Trace, *, wrote: bool) -> dict[str, Any]:
    """Return the JSON object of a success, `{}` for 204. Otherwise raises the matching PingOneError.

    Another success without content is Unavailable, unless a caller collects such answers to writes.
    """
    body = json_object(response)
    if response.is_success:
        if body is not None or response.status_code == 204:
            return body or {}
        if not response.content and wrote and empty_answers.note(traced(response, {}, trace)):
            return {}
        told = "not JSON" if response.content else "no content"
        raise errors.Unavailable(told, trace=traced(response, {}, trace), outcome_known=not wrote)
    raise error_of(response, body or {}, trace, wrote=wrote)


def rejects_token(response: httpx.Response) -> bool:
    """Return whether PingOne refuses the token. Older parts of PingOne also send 401 for a missing role."""
    return response.status_code == 401 and "INSUFFICIENT_PERMISSIONS" not in _codes(json_object(response) or {})


def error_of(response: httpx.Response, body: dict[str, Any], trace: Trace, *, wrote: bool) -> PingOneError:
    """Return the error, by status class first: PingOne moves codes between statuses over time."""
    status = response.status_code
    codes = _codes(body)
    more: dict[str, Any] = {"details": tuple(_details(body)), "trace": traced(response, body, trace)}
    message = text(body.get("message"))
    if status == 429:
        return errors.RateLimited(message, retry_after_s=retry_after(response), **more)
    if status >= 500 or status == 408 or response.is_redirect:
        return errors.Unavailable(message, outcome_known=not wrote, **more)
    if status == 401 and "INSUFFICIENT_PERMISSIONS" not in codes:
        return errors.TokenRejected(message, **more)
    if status in {401, 403}:
        if "LICENSE_EXCEEDED" in codes:
            return errors.LicenseExceeded(message, **more)
        return errors.MissingPermission(message, **more) if body.get("code") else errors.Blocked(message, **more)
    if status == 404:
        return errors.NotFound(message, **more)
    if "UNIQUENESS_VIOLATION" in codes:
        return errors.Duplicate(message, **more)
    if status == 415 or body.get("code") == "REQUEST_FAILED" or codes & {"NO_PASSWORD", "ACCOUNT_NOT_USABLE"}:
        return errors.RefusedByState(message, **more)
    if status in {400, 409, 413, 414, 431}:
        return errors.InvalidValue(message, **more)
    return PingOneError(message, **more)


def oauth_error_of(response: httpx.Response, trace: Trace) -> PingOneError:
    """Return the error of an OAuth endpoint, which has OAuth's format instead of PingOne's envelope.

    invalid_grant gives TokenRefreshFailure; its meaning depends on the exchanged token or code.
    """
    body = json_object(response) or {}
    code = text(body.get("error")).lower()
    description = text(body.get("error_description"))
    if response.status_code == 429 or response.status_code >= 500:
        return error_of(response, body, trace, wrote=False)
    if not code:  # a gateway's page, or a redirect
        return errors.Unavailable("not an OAuth error", trace=traced(response, body, trace))
    found = _CORRELATION_ID.search(description)
    correlation_id = response.headers.get("Correlation-Id") or (found[1] if found else None)
    more: dict[str, Any] = {
        "trace": Trace(
            status=response.status_code,
            code=code,
            error_id=text(body.get("id")) or None,
            correlation_id=correlation_id,
            transaction_id=trace.transaction_id,
            call=trace.call,
        )
    }
    if code in {"server_error", "temporarily_unavailable"}:
        return errors.Unavailable(description, **more)
    if code == "invalid_grant":
        return errors.TokenRefreshFailure(description, **more)
    return errors.AuthenticationError(description, **more)


def json_object(response: httpx.Response) -> dict[str, Any] | None:
    """Return the JSON object, or None if it is anything else: truncated, HTML, a list, empty."""
    try:
        body = response.json()
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def retry_after(response: httpx.Response) -> int | None:
    """Return the seconds from now, by either form of the header, or None if it is missing or unreadable."""
    value = response.headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]{1,6}", value):
        return int(value)
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0, round((at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds()))


def traced(response: httpx.Response, body: dict[str, Any], trace: Trace) -> Trace:
    return Trace(
        status=response.status_code,
        code=text(body.get("code")) or None,
        error_id=text(body.get("id")) or None,
        correlation_id=response.headers.get("Correlation-Id"),
        transaction_id=trace.transaction_id,
        call=trace.call,
    )


def _codes(body: dict[str, Any]) -> set[str]:
    return {detail.code for detail in _details(body)}


def _in_words(message: str) -> str:
    """Return the message, or "" if it quotes a regular expression, which says nothing to people."""
    return "" if _REGULAR_EXPRESSION.search(message) else message


def _details(body: dict[str, Any]) -> list[Detail]:
    entries = body.get("details")
    return [
        Detail(
            code=text(entry.get("code")),
            target=text(entry.get("target")),
            message=_in_words(text(entry.get("message"))),
            inner=inner if isinstance(inner := entry.get("innerError"), dict) else {},
        )
        for entry in (entries if isinstance(entries, list) else [])
        if isinstance(entry, dict)
    ]
