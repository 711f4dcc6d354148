"""The way to the provider and back, bound to one browser session: what it is for, and what comes of it."""

import time
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from console.session_slot import SessionSlot
from console.single_sign_on.failures import Refused
from pingone_integration.openid_connect import sign_in
from pingone_integration.openid_connect.errors import NotVouchedFor, Reason
from pingone_integration.openid_connect.identity import Identity
from pingone_integration.sealing import seal, unseal

GOOD_FOR_S = 600
_MOST = 5  # sign-ins on their way in one browser, for example in several tabs
_PLACE = "single-sign-on"  # what the secrets of a sign-in on its way are sealed for


class Purpose(StrEnum):
    SIGN_IN = "sign-in"
    AGAIN = "again"
    LINK = "link"


def redirect_uri() -> str:
    """Return the URI that must be registered at the provider exactly as it is: never of the request's Host header."""
    return f"{settings.PUBLIC_URL}{reverse('single-sign-on-callback')}"


def begin(request: HttpRequest, purpose: Purpose, *, back_to: str) -> str:
    """Return the provider's URL to send the browser to. Raises Refused."""
    try:
        begun = sign_in.begin(redirect_uri=redirect_uri(), max_age_s=None if purpose == Purpose.SIGN_IN else 0)
    except NotVouchedFor as error:
        raise Refused(error.reason, str(error)) from error
    waiting = dict(list(_waiting(request).items())[1 - _MOST :])
    waiting[begun.state] = {
        "purpose": purpose,
        "back_to": back_to,
        "operator": str(request.user.pk) if request.user.is_authenticated else "",
        "at": time.time(),
        "secrets": seal(_PLACE, f"{begun.nonce} {begun.code_verifier}"),
    }
    _slot(request).set(waiting)
    return begun.url


def take(request: HttpRequest) -> dict[str, Any]:
    """Return what this browser began with the returned `state`, once. Raises Refused."""
    waiting = _waiting(request)
    begun: dict[str, Any] | None = waiting.pop(_only(request, "state"), None)
    if begun is None or time.time() - begun["at"] > GOOD_FOR_S:
        raise Refused("state")
    _slot(request).set(waiting)
    if begun["operator"] != (str(request.user.pk) if request.user.is_authenticated else ""):
        raise Refused("state", "another operator is signed in by now")
    return begun


def identity_of(request: HttpRequest, begun: dict[str, Any]) -> Identity:
    """Return whom the provider vouches for. Raises Refused."""
    code = _only(request, "code")
    if not code:
        raise Refused("denied", _only(request, "error"))
    nonce, code_verifier = unseal(_PLACE, begun["secrets"]).split()
    try:
        found = sign_in.finish(code, redirect_uri=redirect_uri(), nonce=nonce, code_verifier=code_verifier)
    except NotVouchedFor as error:
        raise Refused(error.reason, str(error)) from error
    if begun["purpose"] != Purpose.SIGN_IN and not _is_anew(found, begun["at"]):
        raise Refused("not-fresh")
    if (told := _only(request, "iss")) and told != found.issuer:  # RFC 9207: a mixed-up provider
        raise Refused(Reason.UNVERIFIED, "the answer names another issuer")
    return found


def _is_anew(found: Identity, begun_at: float) -> bool:
    """Return whether the person proved who they are since this began, and not by an older session of the provider."""
    at = found.signed_in_at
    return at is not None and at.timestamp() >= begun_at - sign_in.CLOCKS_DIFFER_S


def _waiting(request: HttpRequest) -> dict[str, Any]:
    return dict(_slot(request).get() or {})


def _only(request: HttpRequest, name: str) -> str:
    """Return the one value of a parameter: a repeated one means nothing."""
    values = request.GET.getlist(name)
    return values[0] if len(values) == 1 else ""


def _slot(request: HttpRequest) -> SessionSlot:
    return SessionSlot(request.session, "single-sign-on-begun")
