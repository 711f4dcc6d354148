"""Every error response of the API, in PingOne's envelope.

Source: PingOne API reference, Platform > Error codes (read 2026-11).
"""

from typing import Any
from uuid import uuid4


class ApiError(Exception):
    """An error that ends the request with a status and envelope. The request's writes are rolled back."""

    def __init__(self, status: int, code: str, message: str, *details: dict[str, Any]) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.details = status, code, message, details

    def envelope(self) -> dict[str, Any]:
        body: dict[str, Any] = {"id": str(uuid4()), "code": self.code, "message": self.message}
        if self.details:
            body["details"] = list(self.details)
        return body


def detail(code: str, target: str, message: str, **inner_error: Any) -> dict[str, Any]:
    """Return an entry of `details`. Keyword arguments become its `innerError`."""
    entry: dict[str, Any] = {"code": code, "target": target, "message": message}
    if inner_error:
        entry["innerError"] = inner_error
    return entry


def invalid_data(*details: dict[str, Any]) -> ApiError:
    return ApiError(400, "INVALID_DATA", "The request could not be completed: the data is not valid.", *details)


def invalid_value(target: str, message: str, **inner_error: Any) -> ApiError:
    return invalid_data(detail("INVALID_VALUE", target, message, **inner_error))


def required_value(target: str) -> ApiError:
    return invalid_data(detail("REQUIRED_VALUE", target, "A value is required."))


def already_in_use(target: str) -> ApiError:
    return invalid_data(detail("UNIQUENESS_VIOLATION", target, "This value is already in use."))


def invalid_filter(message: str, **inner_error: Any) -> ApiError:
    return invalid_data(detail("INVALID_FILTER", "filter", message, **inner_error))


def malformed(message: str) -> ApiError:
    return ApiError(400, "INVALID_REQUEST", message)


def refused(message: str, *details: dict[str, Any]) -> ApiError:
    """Return the error of a valid request that the current state does not allow."""
    return ApiError(400, "REQUEST_FAILED", message, *details)


def invalid_token() -> ApiError:
    reason = detail("INVALID_TOKEN", "Authentication Credentials", "The access token is absent, invalid or expired.")
    return ApiError(401, "ACCESS_FAILED", "The request was not authenticated.", reason)


def not_allowed(message: str = "The actor attempting to perform the request is not authorized.") -> ApiError:
    reason = {"code": "INSUFFICIENT_PERMISSIONS", "message": message}
    return ApiError(403, "ACCESS_FAILED", message, reason)


def not_found() -> ApiError:
    return ApiError(404, "NOT_FOUND", "The requested resource was not found.")


def method_not_allowed(method: str) -> ApiError:
    return ApiError(405, "INVALID_REQUEST", f"{method} is not supported here.")


def unsupported_media_type() -> ApiError:
    return ApiError(415, "INVALID_REQUEST", "The Content-Type is not supported here.")


def too_many_requests() -> ApiError:
    reason = {"code": "LIMIT_EXCEEDED", "message": "The rate limit has been reached.", "innerError": {"quotaLimit": 50}}
    return ApiError(429, "REQUEST_LIMITED", "The request exceeded a limit.", reason)


def unexpected() -> ApiError:
    return ApiError(500, "UNEXPECTED_ERROR", "An unexpected error occurred.")


def unavailable() -> ApiError:
    return ApiError(503, "SERVICE_UNAVAILABLE", "The service is temporarily unavailable.")
