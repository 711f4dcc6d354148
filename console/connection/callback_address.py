"""The redirect URI, to which PingOne sends the browser back."""

from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.http.request import split_domain_port
from django.urls import reverse


def redirect_uri(request: HttpRequest | None = None) -> str:
    """Return the URI that must be registered at the PingOne application exactly as it is.

    It is at PUBLIC_URL or, for a request to another of the console's own names, at that name: only there is the
    operator signed in when the browser returns.
    """
    return f"{_own_address(request) or settings.PUBLIC_URL}{reverse('connect-callback')}"


def _own_address(request: HttpRequest | None) -> str | None:
    """Return PUBLIC_URL with the request's host, if ALLOWED_HOSTS names that host: patterns would let anyone choose."""
    if request is None:
        return None
    public = urlsplit(str(settings.PUBLIC_URL))
    host, port = split_domain_port(request.get_host())
    if host not in settings.ALLOWED_HOSTS or port != split_domain_port(public.netloc)[1]:
        return None
    return public._replace(netloc=request.get_host()).geturl()
