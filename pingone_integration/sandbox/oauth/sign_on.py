"""Sign-in: the password check, and the browser's session."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from pingone_integration.sandbox import encoded_passwords, lockout
from pingone_integration.sandbox.api.endpoint import iso
from pingone_integration.sandbox.api.password_body import password_status
from pingone_integration.sandbox.models import Environment, Session, User

# Cookies ignore the port, and the console may be on the same host: hence this name, and a path per environment.
COOKIE = "sandbox_sign_on"


class Refused(Exception):
    """A refused sign-in. The text is for the person at the browser."""


def check_credentials(environment: Environment, username: str, password: str) -> User:
    """Return the user if the password is right and the account may sign in. Raises Refused otherwise.

    Too many wrong passwords lock the password, as the population's policy says. A locked password is not checked, so
    guessing is pointless until the lock runs out.
    """
    users = User.objects.select_related("population__password_policy")
    user = users.filter(environment=environment, username_key=username.strip().lower()).first()
    if user is None:
        make_password(password)  # as slow as a check, so the time does not reveal which users exist
        raise Refused("The username or the password is wrong.")
    if password_status(user, timezone.now()) == User.PasswordStatus.PASSWORD_LOCKED_OUT:
        raise Refused("Too many wrong passwords. Try again later, or ask an administrator to unlock the password.")
    if not encoded_passwords.matches(password, user.password):
        if user.password:
            lockout.count_failure(user, timezone.now())
        raise Refused("The username or the password is wrong.")
    if not user.enabled:
        raise Refused("This account is disabled.")
    if user.is_locked():
        raise Refused("This account is locked. Ask an administrator to unlock it.")
    if user.password_status in {User.PasswordStatus.MUST_CHANGE_PASSWORD, User.PasswordStatus.PASSWORD_EXPIRED}:
        raise Refused("The password must be changed first. This sandbox has no page for that.")
    return user


def start_session(user: User, request: HttpRequest) -> Session:
    """Store the sign-in, which PingOne shows in the user and in the user's sessions."""
    now = timezone.now()
    address = request.META.get("REMOTE_ADDR", "")
    User.objects.filter(pk=user.pk).update(
        last_sign_on_at=now,
        last_sign_on_ip=address or None,
        updated_at=now,
        password_failures=0,
        password_status=User.PasswordStatus.OK,
        password_unlock_at=None,
    )
    return Session.objects.create(
        user=user, created_at=now, active_at=now, details=_details(now, address, request.headers.get("User-Agent", ""))
    )


def _details(now: datetime, address: str, user_agent: str) -> dict[str, Any]:
    # In this order: Edge also says Chrome and Safari, Chrome also says Safari, Android also says Linux.
    browser = _first_named(user_agent, {"Edg": "Edge", "Firefox": "Firefox", "Chrome": "Chrome", "Safari": "Safari"})
    system = _first_named(
        user_agent,
        {"Windows": "Windows", "Android": "Android", "iPhone": "iOS", "Mac OS X": "Mac OS X", "Linux": "Linux"},
    )
    return {
        "locations": [{"at": iso(now), "remoteIp": address}],
        "lastSignOn": {"at": iso(now), "remoteIp": address},
        "browser": {"name": browser},
        "operatingSystem": {"name": system},
        "device": {"type": "Mobile" if "Mobile" in user_agent else "Desktop"},
    }


def _first_named(user_agent: str, names: dict[str, str]) -> str:
    return next((name for mark, name in names.items() if mark in user_agent), "Unknown")


def browser_session(request: HttpRequest, environment: Environment) -> Session | None:
    """Return this browser's session, or None if there is none or its user may not sign in."""
    value = request.get_signed_cookie(COOKIE, default=None)
    if value is None:
        return None
    sessions = Session.objects.select_related("user")
    session = sessions.filter(pk=UUID(value), user__environment=environment).first()
    return session if session and session.user.can_authenticate() else None


def remember(response: HttpResponse, session: Session, environment: Environment, *, secure: bool) -> None:
    response.set_signed_cookie(
        COOKIE,
        str(session.id),
        path=_path(environment),
        secure=secure,
        httponly=True,
        samesite="Lax",
    )


def forget(response: HttpResponse, environment: Environment) -> None:
    response.delete_cookie(COOKIE, path=_path(environment), samesite="Lax")


def _path(environment: Environment) -> str:
    return f"/{environment.id}/as"
