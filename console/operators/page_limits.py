"""Limits on the forms that anybody can send: each page counts by client, operator or the email that was entered."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from allauth.core.internal.ratelimit import get_ip
from django.forms import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from console.operators.attempt_limit import Limit
from console.operators.known_browser import known_browser
from console.operators.sign_in_forms import ResetPasswordForm


@dataclass(frozen=True)
class PageLimit:
    """A limit, and whose attempts it counts; None: this form does nothing that is worth counting."""

    limit: Limit
    whose: Callable[[HttpRequest], str | None]

    def allows(self, request: HttpRequest) -> bool:
        """Count the form. Return False if there were too many."""
        whose = self.whose(request)
        return whose is None or self.limit.count(whose)


def _operator(request: HttpRequest) -> str | None:
    return str(request.user.pk) if request.user.is_authenticated else None


def _email(request: HttpRequest) -> str | None:
    """Return the address as the form reads it: white space around it must not make another one."""
    try:
        return str(ResetPasswordForm.base_fields["email"].clean(request.POST.get("email")))
    except ValidationError:
        return None


def _browser(request: HttpRequest) -> str:
    """Count a browser where somebody has signed in before by itself, and all others by their address."""
    known = known_browser(request)
    return f"browser {known.id}" if known else str(get_ip(request))


_SIGN_IN_AGAIN = PageLimit(Limit("sign in again", 10, 60), _operator)
LIMITS: dict[str, tuple[PageLimit, ...]] = {  # by the name of the page's URL
    "account_login": (PageLimit(Limit("sign in", 30, 60), _browser),),
    "single-sign-on-start": (PageLimit(Limit("sign in", 30, 60), _browser),),
    "mfa_login_webauthn": (PageLimit(Limit("sign in with a passkey", 30, 60), _browser),),
    "account_reauthenticate": (_SIGN_IN_AGAIN,),
    "mfa_reauthenticate": (_SIGN_IN_AGAIN,),
    "mfa_reauthenticate_webauthn": (_SIGN_IN_AGAIN,),
    "account_change_password": (PageLimit(Limit("change password", 5, 60), _operator),),
    "account_reset_password": (
        PageLimit(Limit("reset password", 20, 60), get_ip),
        PageLimit(Limit("reset password of email", 5, 60), _email),
    ),
    "invitation": (PageLimit(Limit("accept an invitation", 20, 60), get_ip),),
    "stop-factor-reset": (PageLimit(Limit("stop a reset", 20, 60), get_ip),),
    "account_reset_password_from_key": (PageLimit(Limit("choose password", 20, 60), get_ip),),
}


class PageLimits:
    """The middleware that refuses a form beyond the limits of its page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *view: Any) -> HttpResponse | None:
        page = request.resolver_match
        limits = LIMITS.get(page.url_name or "", ()) if page and request.method == "POST" else ()
        if all(limit.allows(request) for limit in limits):
            return None
        return render(request, "429.html", status=429)
