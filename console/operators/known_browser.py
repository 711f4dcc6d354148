"""Browsers where an operator has signed in before: a stranger's failures do not count against them.

A signed cookie names the operators. It opens nothing: it only says whose failures are counted apart.
"""

from dataclasses import dataclass
from uuid import uuid4

from django.conf import settings
from django.core import signing
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from console.models import Operator

_REMEMBERED_S = 180 * 24 * 3600
_MOST = 5  # operators of one browser
_SALT = "console.known-browser"


@dataclass(frozen=True)
class KnownBrowser:
    id: str
    operators: tuple[str, ...]


def known_browser(request: HttpRequest) -> KnownBrowser | None:
    try:
        known = signing.loads(
            request.COOKIES.get(settings.KNOWN_BROWSER_COOKIE_NAME, ""), salt=_SALT, max_age=_REMEMBERED_S
        )
        return KnownBrowser(known["id"], tuple(known["operators"]))
    except (signing.BadSignature, KeyError, TypeError):
        return None


def browser_of(request: HttpRequest, operator: Operator | None) -> str:
    """Return the ID of this browser if it is known for the operator, else ""."""
    known = known_browser(request)
    return known.id if known and operator and str(operator.pk) in known.operators else ""


def remember(request: HttpRequest, response: HttpResponseBase, operator: Operator) -> None:
    """Make the browser known for an operator who has just signed in."""
    known = known_browser(request) or KnownBrowser(uuid4().hex, ())
    theirs = str(operator.pk)
    operators = [theirs, *(one for one in known.operators if one != theirs)][:_MOST]
    response.set_cookie(
        settings.KNOWN_BROWSER_COOKIE_NAME,
        signing.dumps({"id": known.id, "operators": operators}, salt=_SALT),
        max_age=_REMEMBERED_S,
        httponly=True,
        samesite="Lax",
        secure=settings.SERVED_OVER_TLS,
    )
