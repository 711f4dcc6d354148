"""Limits on guessing: attempts to sign in are counted once for all processes, and a one-time code works once in all.

allauth counts in the cache, by get-then-set, and a cache may lose what it holds. So its limits are off (settings.py);
the same limits are here (attempt_limit.py).
"""

from collections.abc import Iterable
from datetime import timedelta

from allauth.account.adapter import get_adapter
from allauth.core import context
from allauth.core.internal.cryptokit import normalize_user_code
from allauth.core.internal.ratelimit import get_ip
from allauth.mfa import app_settings as mfa_settings
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.http import HttpRequest

from console.models import Operator, SignInCount, UsedCode
from console.operators.attempt_limit import Limit, hashed
from console.operators.known_browser import browser_of
from console.sessions.store import BEGAN

# Failures only: a success is taken back. A browser that is known for the operator, or a session of theirs, is counted
# alone: whatever strangers try, wherever they are, it can sign in.
FAILED_FROM_ADDRESS = Limit("failed from address", 10, 60)
FAILED_FOR_EMAIL = Limit("failed for email", 5, 300)  # of one client
FAILED_FOR_EMAIL_EVERYWHERE = Limit("failed for email everywhere", 50, 3600)
FAILED_SECOND_FACTOR = Limit("failed second factor", 5, 300)


class Attempt:
    """A sign-in, counted as failed before it is tried: so many attempts at once gain nothing."""

    def __init__(self, counts: Iterable[tuple[Limit, str]]) -> None:
        self._counts = tuple(counts)

    @classmethod
    def with_password(cls, request: HttpRequest, email: str) -> "Attempt":
        operator = Operator.objects.filter(email=email).first()
        if apart := _counted_apart(request, operator):
            return cls([(FAILED_FOR_EMAIL, f"{email} {apart}")])
        address = get_ip(request)
        here = (FAILED_FROM_ADDRESS, address), (FAILED_FOR_EMAIL, f"{email} {address}")
        return cls([*here, (FAILED_FOR_EMAIL_EVERYWHERE, email)])

    @classmethod
    def with_code(cls, request: HttpRequest, operator: Operator) -> "Attempt":
        """Return an attempt with a second factor that could be guessed. The password was right."""
        if apart := _counted_apart(request, operator):
            return cls([(FAILED_SECOND_FACTOR, f"{operator.pk} {apart}")])
        return cls([(FAILED_FROM_ADDRESS, get_ip(request)), (FAILED_SECOND_FACTOR, str(operator.pk))])

    def count(self) -> bool:
        """Return False if there were too many."""
        return all(limit.count(whose) for limit, whose in self._counts)

    def succeeded(self) -> None:
        """Do not count it. Earlier failures stay: a success of one's own must not make room for more guesses."""
        for limit, whose in self._counts:
            limit.take_back(whose)

    def forget(self) -> None:
        """Forget the failures for this password or code, which is no more. Those of the address stay."""
        for limit, whose in self._counts:
            if limit is not FAILED_FROM_ADDRESS:
                limit.forget(whose)


def _counted_apart(request: HttpRequest, operator: Operator | None) -> str:
    """Return what the failures of this browser are counted by, if it is known for the operator; else ""."""
    if operator is not None and getattr(request, "user", None) == operator:
        return f"session {request.session.get(BEGAN)}"
    return browser_of(request, operator)


class SecondFactorLimit:
    """For forms that take a code of `user`: failures are counted, and a code works once.

    A passkey is not counted: nobody can guess one, and so nobody is locked out of theirs.
    """

    too_many = "too_many_login_attempts"
    user: Operator

    def clean_code(self) -> str:
        attempt = self._attempt()
        code: str = super().clean_code()  # type: ignore[misc]
        if not use_code(self.user, code):
            self._used_before()
            raise get_adapter().validation_error("incorrect_code")
        attempt.succeeded()
        return code

    def _attempt(self) -> Attempt:
        attempt = Attempt.with_code(context.request, self.user)
        if not attempt.count():
            raise get_adapter().validation_error(self.too_many)
        return attempt

    def _used_before(self) -> None:
        """Tell of a code that was right and had been used."""


def use_code(operator: Operator, code: str) -> bool:
    """Return whether the code, which is right, has not been used before; from now on it has."""
    key = hashed(f"code {operator.pk} {normalize_user_code(code)}")
    expires_at = Now() + timedelta(seconds=mfa_settings.TOTP_PERIOD * (2 * mfa_settings.TOTP_TOLERANCE + 1))
    if UsedCode.objects.filter(key=key, expires_at__lte=Now()).update(expires_at=expires_at):
        return True
    try:
        with transaction.atomic():
            UsedCode.objects.create(key=key, expires_at=expires_at)
    except IntegrityError:
        return False
    return True


def clear_old() -> None:
    SignInCount.objects.filter(ends_at__lte=Now()).delete()
    UsedCode.objects.filter(expires_at__lte=Now()).delete()
