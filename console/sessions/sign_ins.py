"""What signing in and out does to the session: it begins, has a new key, or ends. Receivers of signals."""

from typing import Any

from allauth.usersessions.models import UserSession
from django.http import HttpRequest


def begin(request: HttpRequest, **signal: Any) -> None:
    """Count the session's hours from the sign-in on, and not from the visit before it."""
    request.session.begin()  # type: ignore[attr-defined]


def renew(request: HttpRequest, *, reauthenticated: bool = False, **signal: Any) -> None:
    """Give the session a new key when the operator signed in again: whoever had the old one does not gain by that."""
    if not reauthenticated:
        return
    old = request.session.session_key
    request.session.cycle_key()
    UserSession.objects.filter(session_key=old).update(session_key=request.session.session_key)


def end(request: HttpRequest, **signal: Any) -> None:
    """Let the answer tell the browser to forget what it keeps of the pages: see the middleware."""
    request.is_signed_out = True  # type: ignore[attr-defined]
