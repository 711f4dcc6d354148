"""Recognition of pasted error texts, as the error that the same PingOne response would raise."""

import json
import re
from typing import Any

import httpx

from pingone_integration import errors
from pingone_integration.calls.responses import error_of, oauth_error_of
from pingone_integration.errors import PingOneError, StateRejected, Trace, Unavailable
from pingone_integration.texts import Text, english
from pingone_integration.values import json_object, text

# PingOne's codes (top level and details), each with its status and top-level code.
# Source: PingOne API reference, Error codes (read 2026-11).
_BY_CODE: dict[str, tuple[int, str]] = {
    "INVALID_TOKEN": (401, "ACCESS_FAILED"),
    "INSUFFICIENT_PERMISSIONS": (403, "ACCESS_FAILED"),
    "LICENSE_EXCEEDED": (403, "ACCESS_FAILED"),
    "UNIQUENESS_VIOLATION": (400, "INVALID_DATA"),
    "NO_PASSWORD": (400, "INVALID_DATA"),
    "ACCOUNT_NOT_USABLE": (400, "INVALID_DATA"),
    "INVALID_VALUE": (400, "INVALID_DATA"),
    "REQUIRED_VALUE": (400, "INVALID_DATA"),
    "EMPTY_VALUE": (400, "INVALID_DATA"),
    "CONSTRAINT_VIOLATION": (400, "INVALID_DATA"),
    "OUT_OF_RANGE": (400, "INVALID_DATA"),
    "SIZE_LIMIT_EXCEEDED": (400, "INVALID_DATA"),
    "INVALID_FILTER": (400, "INVALID_DATA"),
    "INVALID_PARAMETER": (400, "INVALID_DATA"),
    "LIMIT_EXCEEDED": (429, "REQUEST_LIMITED"),
    "QUOTA_EXCEEDED": (429, "REQUEST_LIMITED"),
    "REQUEST_LIMITED": (429, "REQUEST_LIMITED"),
    "ACCESS_FAILED": (403, "ACCESS_FAILED"),
    "NOT_FOUND": (404, "NOT_FOUND"),
    "REQUEST_FAILED": (400, "REQUEST_FAILED"),
    "INVALID_DATA": (400, "INVALID_DATA"),
    "INVALID_REQUEST": (400, "INVALID_REQUEST"),
    "CONFLICT": (409, "CONFLICT"),
    "UNEXPECTED_ERROR": (500, "UNEXPECTED_ERROR"),
}
_OAUTH_CODES = (
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
    "invalid_request",
    "server_error",
    "temporarily_unavailable",
)
_STATUS = re.compile(r"(?:status|http|code|error)[^0-9a-z]{0,12}(?:/[0-9.]+\s+)?([345]\d\d)\b", re.IGNORECASE)
_BARE_STATUS = re.compile(r"\s*([345]\d\d)\b")
_CODE_OF_STATUS = {401: "ACCESS_FAILED", 403: "ACCESS_FAILED"}  # else a 403 without a code counts as Blocked
_NETWORK = (
    (r"certificate|\bssl\b|\btls\b|getaddrinfo|name or service not known|name resolution", errors.ConnectionFailure),
    (
        r"connection (?:was )?refused|no route to host|network is unreachable|could not connect",
        errors.ConnectionFailure,
    ),
    (r"timed out|timeout|connection (?:was )?reset|bad gateway|gateway time-?out|service unavailable", Unavailable),
)


def variants(error: type[PingOneError]) -> list[PingOneError]:
    """Return an error for each wording of a class."""
    if issubclass(error, StateRejected):
        return [error(reason) for reason in StateRejected.Reason]
    if error is Unavailable:
        return [Unavailable(), Unavailable(outcome_known=False)]
    return [error()]


def error_in(pasted: str) -> PingOneError | None:
    """Return the error in a text: JSON, a code, a status or words of errors.py, or None if unknown."""
    body, around = _json_in(pasted)
    if body is not None and (found := _of_json(body, around)):
        return found
    return (
        _of_our_words(pasted)
        or _of_oauth_code(pasted)
        or _of_pingone_code(pasted)
        or _of_kind(pasted)
        or _of_status(pasted)
        or _of_network(pasted)
    )


def _json_in(pasted: str) -> tuple[dict[str, Any] | None, str]:
    """Return the first JSON object or None, and the text around it."""
    start = pasted.find("{")
    if start < 0:
        return None, pasted
    try:
        body, end = json.JSONDecoder().raw_decode(pasted, start)
    except (ValueError, RecursionError):
        return None, pasted
    return json_object(body), f"{pasted[:start]} {pasted[end:]}"


def _of_json(body: dict[str, Any], around: str) -> PingOneError | None:
    kind = errors.kinds().get(text(body.get("kind")))
    if kind:
        return variants(kind)[0]
    status = _status_in(around)
    if text(body.get("error")):
        return oauth_error_of(httpx.Response(status or 400, json=body), Trace())
    code = text(body.get("code"))
    if not code and not (text(body.get("message")) or body.get("details")):
        return None
    details = body.get("details")
    inner = [text(json_object(one).get("code")) for one in (details if isinstance(details, list) else [])]
    known = next((_BY_CODE[one][0] for one in (*inner, code) if one in _BY_CODE), None)
    if not code:
        known = known or 403  # the format of PingOne's gateway
    status = status or known
    return error_of(httpx.Response(status, json=body), body, Trace(), wrote=False) if status else PingOneError()


def _of_our_words(pasted: str) -> PingOneError | None:
    """Match causes before titles: some kinds share a title."""
    flat = _flat(pasted)
    known = [variant for error in errors.kinds().values() for variant in variants(error)]
    by_cause = (one for one in known if _holds(flat, one.cause))
    by_title = (one for one in known if _holds(flat, one.title))
    return next(by_cause, None) or next(by_title, None)


def _of_oauth_code(pasted: str) -> PingOneError | None:
    code = next((code for code in _OAUTH_CODES if _has_word(code, pasted)), None)
    return oauth_error_of(httpx.Response(400, json={"error": code}), Trace()) if code else None


def _of_pingone_code(pasted: str) -> PingOneError | None:
    found = next((code for code in _BY_CODE if _has_word(code, pasted)), None)
    if found is None:
        return None
    status, code = _BY_CODE[found]
    body = {"code": code, "details": [{"code": found}]}
    return error_of(httpx.Response(_status_in(pasted) or status), body, Trace(), wrote=False)


def _of_kind(pasted: str) -> PingOneError | None:
    known = sorted(errors.kinds().items(), key=lambda pair: -len(pair[0]))
    return next((variants(error)[0] for kind, error in known if _has_word(kind, pasted)), None)


def _of_status(pasted: str) -> PingOneError | None:
    status = _status_in(pasted)
    if status is None:
        return None
    body = {"code": _CODE_OF_STATUS.get(status, "")}
    return error_of(httpx.Response(status), body, Trace(), wrote=False)


def _of_network(pasted: str) -> PingOneError | None:
    return next((error() for words, error in _NETWORK if re.search(words, pasted, re.IGNORECASE)), None)


def _status_in(pasted: str) -> int | None:
    found = _BARE_STATUS.match(pasted) or _STATUS.search(pasted)
    return int(found[1]) if found else None


def _has_word(word: str, pasted: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", pasted) is not None


def _holds(flat: str, words: Text) -> bool:
    """Return whether the pasted text has the words, in the reader's language or in English, as the audit log has."""
    return _flat(str(words)) in flat or _flat(english(words)) in flat


def _flat(words: str) -> str:
    return " ".join(words.split()).casefold()
