"""Django's test client, taught that the cookie of a session holds a token and not the session's key."""

from time import time
from typing import Any

from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest
from django.test import Client

from console.models import Operator
from console.sessions.store import SessionStore


def keep_tokens_in_cookies() -> None:
    user_logged_in.connect(_with_a_password, dispatch_uid=__name__)
    Client.session = property(_session)  # type: ignore[assignment, method-assign]
    Client._set_login_cookies = _set_login_cookies  # type: ignore[attr-defined]


def _with_a_password(request: HttpRequest, user: Operator, **signal: Any) -> None:
    """Let `force_login` be a sign-in a moment ago."""
    if "REQUEST_METHOD" not in request.META:
        request.session["account_authentication_methods_user"] = str(user.pk)
        request.session["account_authentication_methods"] = [{"method": "password", "at": time()}]


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


def signed_in_long_ago(client: Client) -> Client:
    """Let the client's sign-in be an hour old, as if somebody had left it open."""
    return _signed_in_at(client, time() - 3600)


def signed_in_now(client: Client) -> Client:
    return _signed_in_at(client, time())


def _signed_in_at(client: Client, at: float) -> Client:
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": at}]
    session.save()
    return client
