"""Single sign-on: the way to the provider and back, and the operator's own link to it."""

import logging
from datetime import UTC, datetime
from urllib.parse import urlsplit

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import (
    AUTHENTICATION_METHODS_SESSION_KEY,
    get_authentication_records,
    perform_login,
    record_authentication,
)
from allauth.account.models import Login
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from console.access import ConsoleRequest, operator_view, public_view
from console.models import LinkedIdentity, Operator
from console.sessions import single_sign_on
from console.sessions.fresh import demanded_first
from console.single_sign_on import accounts, flow
from console.single_sign_on.failures import WORDS, Refused
from console.single_sign_on.flow import Purpose
from pingone_integration.openid_connect.identity import Identity

logger = logging.getLogger(__name__)


@public_view(reason="nobody has signed in yet")
@require_http_methods(["GET", "HEAD", "POST"])
def start(request: HttpRequest) -> HttpResponse:
    """Show the way to the provider (GET), and leave for it (POST): to sign in, or to sign in again."""
    if not settings.OIDC_ISSUER:
        raise Http404("This server has no provider.")
    back_to = _inside(request.POST.get("next") or request.GET.get("next"))
    is_linked = request.user.is_authenticated and single_sign_on.is_linked(request.user)
    if request.method != "POST":
        is_demanded = request.user.is_authenticated and not is_linked
        ways = get_adapter().get_reauthentication_methods(request.user) if is_linked else []
        context = {
            "back_to": back_to,
            "is_again": is_linked,
            "is_demanded": is_demanded,
            "other_ways": [way for way in ways if way["url"] != request.path],
        }
        return render(request, "console/single_sign_on/start.html", context)
    return _leave(request, Purpose.AGAIN if is_linked else Purpose.SIGN_IN, back_to)


@public_view(reason="the state in the browser session is the proof")
@require_safe
def callback(request: HttpRequest) -> HttpResponse:
    """Handle the return from the provider, with a code or an error. Nothing stays in the address bar."""
    try:
        begun = flow.take(request)
        identity = flow.identity_of(request, begun)
        purpose = Purpose(begun["purpose"])
        if purpose == Purpose.SIGN_IN:
            return _sign_in(request, identity, begun["back_to"])
        operator: Operator = request.user  # type: ignore[assignment]  # the one who began: see flow.take
        if purpose == Purpose.LINK:
            accounts.link(request, operator, identity)
            messages.success(request, _("Linked your account. You can use single sign-on from now on."))
        accounts.require_same(operator, identity)
        _prove(request, operator, identity, reauthenticated=True)
        return redirect(begun["back_to"] or reverse("home"))
    except Refused as refused:
        return _failed(request, refused)


@operator_view
@require_http_methods(["GET", "HEAD", "POST"])
def own_link(request: ConsoleRequest) -> HttpResponse:
    """Show whether the operator's account is linked (GET), link it, or remove the link (POST)."""
    if first := demanded_first(request):
        return redirect(first)
    if not settings.OIDC_ISSUER:
        raise Http404("This server has no provider.")
    if request.POST.get("do") == "link":
        return _leave(request, Purpose.LINK, request.path)
    if request.POST.get("do") == "unlink":
        if accounts.unlink(request, request.user):
            messages.success(request, _("Removed the link."))
        else:
            messages.error(request, _("Choose a password first: without the link, you could not sign in."))
    linked = LinkedIdentity.objects.filter(operator=request.user, issuer=settings.OIDC_ISSUER).first()
    context = {"linked": linked, "provider": settings.OIDC_NAME, "issuer": settings.OIDC_ISSUER}
    return render(request, "console/single_sign_on/own_link.html", context)


def _leave(request: HttpRequest, purpose: Purpose, back_to: str) -> HttpResponse:
    """Show a page that refreshes to the provider: `form-action 'self'` forbids a redirect. See views/connect.py."""
    try:
        url = flow.begin(request, purpose, back_to=back_to)
    except Refused as refused:
        return _failed(request, refused)
    context = {"url": url, "host": urlsplit(url).netloc, "provider": settings.OIDC_NAME}
    response = render(request, "console/single_sign_on/leaving.html", context)
    response.headers["Refresh"] = f"0;url={url}"
    return response


def _sign_in(request: HttpRequest, identity: Identity, back_to: str) -> HttpResponse:
    if request.user.is_authenticated:  # not linked: whoever the provider vouches for begins anew
        logout(request)
    operator = accounts.signed_in(request, identity)
    _prove(request, operator, identity)
    login = Login(user=operator, email_verification="none", email=operator.email, redirect_url=back_to or None)
    response: HttpResponse = perform_login(request, login)
    return response


def _prove(request: HttpRequest, operator: Operator, identity: Identity, *, reauthenticated: bool = False) -> None:
    """Note in the session that the provider vouches for the operator, and since when: not just now, unless it says so.

    Whoever is still signed in at the provider comes back without having proven anything today.
    """
    again = {"reauthenticated": True} if reauthenticated else {}
    record_authentication(request, operator, "single-sign-on", **again)
    records = get_authentication_records(request, operator)
    proven = identity.signed_in_at or datetime.fromtimestamp(0, UTC)
    records[-1]["at"] = min(proven.timestamp(), records[-1]["at"])
    request.session[AUTHENTICATION_METHODS_SESSION_KEY] = records
    single_sign_on.keep(
        request,
        single_sign_on.Vouched(
            operator=str(operator.pk),
            issuer=identity.issuer,
            second_factor=identity.has_second_factor,
            end_session_endpoint=identity.end_session_endpoint,
        ),
    )


def _failed(request: HttpRequest, refused: Refused) -> HttpResponse:
    words = WORDS[refused.key]
    logger.warning("Single sign-on let nobody in: %s (%.300r)", refused.key, str(refused))
    return render(request, "console/single_sign_on/failed.html", {"words": words}, status=words.status)


def _inside(address: str | None) -> str:
    """Return an address of the console to go on to, or "" for any other."""
    return address if address and get_adapter().is_safe_url(address) else ""
