"""Django's test client, taught that the cookie of a session holds a token and not the session's key."""

from django.conf import settings
from django.http import HttpRequest
from django.test import Client

from console.sessions.store import SessionStore


def keep_tokens_in_cookies() -> None:
    Client.session = property(_session)  # type: ignore[assignment, method-assign]
    Client._set_login_cookies = _set_login_cookies  # type: ignore[attr-defined]


def _session(client: Client) -> SessionStore:
    """Return the session of the client's cookie, or start one."""
    cookie = client.cookies.get(settings.SESSION_COOKIE_NAME)
    if cookie and cookie.value:
        return SessionStore.of_token(cookie.value)
    session = SessionStore()
    session.save()
    client.cookies[settings.SESSION_COOKIE_NAME] = str(session.token)
    return session


def _set_login_cookies(client: Client, request: HttpRequest) -> None:
    client.cookies[settings.SESSION_COOKIE_NAME] = str(request.session.token)  # type: ignore[attr-defined]
