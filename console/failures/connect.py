"""The failures of Connect: kept in the session across the callback's redirect, for the connection's page."""

from dataclasses import asdict, replace
from http import HTTPStatus
from typing import Any

from django.contrib.sessions.backends.base import SessionBase
from django.utils.functional import Promise

from console.failures.failure import Failure
from console.session_slot import SessionSlot
from pingone_integration.models import Connection
from pingone_integration.texts import english


def save_failure(session: SessionBase, connection: Connection, failure: Failure) -> None:
    """Save the failure, in English, for the next view of the connection's page in this browser session."""
    _slot(session, connection).set({name: _in_english(value) for name, value in asdict(failure).items()})


def _in_english(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_in_english(part) for part in value]
    return english(value) if isinstance(value, Promise) else value


def restore_failure(session: SessionBase, connection: Connection) -> Failure | None:
    """Return the saved failure and forget it, or None if there is none."""
    saved = _slot(session, connection).pop()
    return Failure(**saved) if saved else None


def _slot(session: SessionBase, connection: Connection) -> SessionSlot:
    return SessionSlot(session, f"connect-failure/{connection.pk}")


def failure_of_redirect(error: str, description: str) -> Failure:
    """Return the failure for `error` and `error_description` of PingOne's redirect, both untrusted text."""
    said = _shortened(f"{error}: {description}" if description else error)
    return replace(_BY_ERROR.get(error, _OTHER), details=(f"PingOne said: {said}",))


def knows(error: str) -> bool:
    return error in _BY_ERROR


def _shortened(text: str) -> str:
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    return printable if len(printable) <= 200 else f"{printable[:199]}…"


def _refusal(title: str, cause: str, resolution: str) -> Failure:
    return Failure(status=HTTPStatus.BAD_REQUEST, kind="not-approved", title=title, cause=cause, resolution=resolution)


# Source: PingOne API reference, OAuth 2.0 / OpenID Connect, Authorization code flow (read 2026-11).
_BY_ERROR = {
    "access_denied": _refusal(
        "You or PingOne refused the access",
        "Cancel was pressed on PingOne's page, or the person who signed on may not use the application: as a rule, it "
        "lets in only people with an administrator role.",
        "Connect again, sign on as an administrator of the environment to manage, and approve the access.",
    ),
    "invalid_scope": _refusal(
        "The PingOne application does not allow a scope",
        "The console asks for openid, profile and email, and one of them is not granted to the application.",
        "Add the three scopes on the Resources tab of the application, then connect again.",
    ),
    "unauthorized_client": _refusal(
        "The PingOne application may not do this",
        "Its Authorization Code grant is switched off.",
        "Switch on the grants Authorization Code and Refresh Token in the application, then connect again.",
    ),
    "unsupported_response_type": _refusal(
        "The PingOne application may not do this",
        "Its response type Code is switched off.",
        "Switch on the response type Code in the application, then connect again.",
    ),
    "invalid_request": _refusal(
        "PingOne did not accept the request",
        "The application may demand something that the console does not send, such as a signed request.",
        "Compare the application's settings with the steps on this page, then connect again.",
    ),
    "login_required": _refusal(
        "Nobody signed on at PingOne",
        "PingOne needs an administrator to sign on first.",
        "Connect again and sign on when PingOne asks.",
    ),
    "server_error": _refusal(
        "PingOne has a fault at the moment",
        "PingOne could not finish the sign-on; the settings here need not be wrong.",
        "Wait a minute, then connect again.",
    ),
}
_BY_ERROR["interaction_required"] = _BY_ERROR["login_required"]
_BY_ERROR["consent_required"] = _BY_ERROR["access_denied"]
_BY_ERROR["temporarily_unavailable"] = _BY_ERROR["server_error"]

_OTHER = _refusal(
    "PingOne refused the access",
    "It gave a reason that the console does not know.",
    "Connect again; if it stays, look for PingOne's answer in its documentation.",
)

SIGNED_OUT_MEANWHILE = _refusal(
    "You were signed out of the console in between",
    "PingOne's answer came after that, and counts only for the sign-in that asked for it.",
    "Nothing was changed. Press Connect to start again.",
)
INCOMPLETE = _refusal(
    "PingOne's answer is incomplete",
    "It holds neither an approval nor a reason for a refusal.",
    "Nothing was changed. Press Connect to start again.",
)
