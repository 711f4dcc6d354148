"""The allauth pages that the console closes, or opens only to a fresh sign-in."""

from typing import Any
from urllib.parse import urlsplit

from allauth.account.views import logout
from allauth.usersessions.views import list_usersessions
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from console.access import ConsoleRequest, operator_view, public_view
from console.sessions import single_sign_on
from console.sessions.fresh import demanded_first
from pingone_integration.openid_connect.sign_in import sign_out_url


@public_view(reason="there is nothing behind it")
def closed(request: HttpRequest, key: str = "") -> HttpResponse:
    raise Http404("This console has no such page.")


@public_view(reason="whoever has signed out already is sent to sign in")
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session here and, after single sign-on, at the provider: else the next person is in with one click."""
    vouched = single_sign_on.vouched_for(request, request.user) if request.user.is_authenticated else None
    answer: Any = logout(request)
    if request.method != "POST" or vouched is None or not vouched.end_session_endpoint:
        return answer  # type: ignore[no-any-return]
    url = sign_out_url(vouched.end_session_endpoint, return_to=f"{settings.PUBLIC_URL}{reverse('account_login')}")
    context = {"url": url, "host": urlsplit(url).netloc, "provider": settings.OIDC_NAME, "is_sign_out": True}
    response = render(request, "console/single_sign_on/leaving.html", context)
    response.headers["Refresh"] = f"0;url={url}"  # no redirect: see views/connect.py
    return response


@operator_view
def sessions(request: ConsoleRequest) -> HttpResponse:
    """Show the operator's sessions (GET), or end the others (POST), which takes a fresh sign-in."""
    if first := demanded_first(request):
        return redirect(first)
    answer: Any = list_usersessions(request)
    return answer  # type: ignore[no-any-return]
