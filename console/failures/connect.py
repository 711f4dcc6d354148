"""The failures of Connect: kept in the session across the callback's redirect, for the connection's page."""

from dataclasses import asdict, replace
from http import HTTPStatus
from typing import Any

from django.contrib.sessions.backends.base import SessionBase
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.failures.failure import Failure
from console.session_slot import SessionSlot
from pingone_integration.models import Connection
from pingone_integration.texts import Text, english


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
    return replace(_BY_ERROR.get(error, _OTHER), details=(format_lazy(_("PingOne said: {message}"), message=said),))


def knows(error: str) -> bool:
    return error in _BY_ERROR


def _shortened(text: str) -> str:
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    return printable if len(printable) <= 200 else f"{printable[:199]}…"


def _refusal(title: Text, cause: Text, resolution: Text) -> Failure:
    return Failure(status=HTTPStatus.BAD_REQUEST, kind="not-approved", title=title, cause=cause, resolution=resolution)


# Source: PingOne API reference, OAuth 2.0 / OpenID Connect, Authorization code flow (read 2026-11).
_BY_ERROR = {
    "access_denied": _refusal(
        _("The connection was not approved"),
        _(
            "Someone chose Cancel in PingOne, or the application does not let this person in: Admin only access keeps "
            "out custom roles, Help Desk Admin and Identity Data Read Only."
        ),
        _(
            "Connect again as an administrator of the environment to manage, and approve. For one of these roles, turn "
            "off Admin only access on the Access tab of the application, and allow a group instead."
        ),
    ),
    "invalid_scope": _refusal(
        _("The PingOne application does not allow a scope"),
        _("The console requests openid, profile and email, and the application does not grant all three."),
        _("Add the three scopes on the Resources tab of the application, then connect again."),
    ),
    "unauthorized_client": _refusal(
        _("The PingOne application does not allow this"),
        _("Its Authorization Code grant is off."),
        _("Turn on the grants Authorization Code and Refresh Token in the application, then connect again."),
    ),
    "unsupported_response_type": _refusal(
        _("The PingOne application does not allow this"),
        _("Its response type Code is off."),
        _("Turn on the response type Code in the application, then connect again."),
    ),
    "invalid_request": _refusal(
        _("PingOne did not accept the request"),
        _("The application may require something that the console does not send, such as a signed request."),
        _("Compare the application's settings with the steps on this page, then connect again."),
    ),
    "login_required": _refusal(
        _("No one signed in to PingOne"),
        _("An administrator has to sign in to PingOne first."),
        _("Connect again, and sign in when PingOne asks."),
    ),
    "server_error": _refusal(
        _("PingOne has a problem right now"),
        _("PingOne could not finish the sign-in. The settings here may be fine."),
        _("Wait a minute, then connect again."),
    ),
}
_BY_ERROR["interaction_required"] = _BY_ERROR["login_required"]
_BY_ERROR["consent_required"] = _BY_ERROR["access_denied"]
_BY_ERROR["temporarily_unavailable"] = _BY_ERROR["server_error"]

_OTHER = _refusal(
    _("PingOne refused the connection"),
    _("The console does not know the reason that PingOne gave."),
    _("Connect again. If it keeps happening, look up PingOne's answer in its documentation."),
)

SIGNED_OUT_MEANWHILE = _refusal(
    _("You were signed out of the console before PingOne answered"),
    _("PingOne's answer is valid only for the sign-in that asked for it."),
    _("Nothing was changed. Press Connect to start again."),
)
INCOMPLETE = _refusal(
    _("PingOne's answer is incomplete"),
    _("It has neither an approval nor a reason for a refusal."),
    _("Nothing was changed. Press Connect to start again."),
)
