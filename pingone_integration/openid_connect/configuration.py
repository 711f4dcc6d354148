"""Which OpenID provider this server asks: its settings, checked when the server starts."""

from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from pingone_integration.calls.outgoing import is_here

METHODS = ("client_secret_basic", "client_secret_post")


def check_issuer(issuer: str, *, client_id: str, client_secret: str, method: str) -> str:
    """Return the issuer, or "" for no provider. Raises ImproperlyConfigured."""
    if not issuer:
        return ""
    if not is_https(issuer) or urlsplit(issuer).query or urlsplit(issuer).fragment:
        raise ImproperlyConfigured(
            f"OIDC_ISSUER must be the issuer of the provider, for example https://login.example.com: {issuer!r}"
        )
    if not client_id or not client_secret:
        raise ImproperlyConfigured("OIDC_ISSUER needs OIDC_CLIENT_ID and OIDC_CLIENT_SECRET")
    if method not in METHODS:
        raise ImproperlyConfigured(f"OIDC_CLIENT_AUTHENTICATION must be one of {', '.join(METHODS)}")
    return issuer


def is_https(url: str) -> bool:
    """Return whether the URL has TLS, or never leaves this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    return bool(host) and not parts.username and (parts.scheme == "https" or (parts.scheme == "http" and is_here(host)))


def is_named(url: str) -> bool:
    """Return whether a URL is on a host that whoever runs this server named: the issuer's, or one of OIDC_HOSTS."""
    named = {urlsplit(settings.OIDC_ISSUER).netloc, *settings.OIDC_HOSTS}
    return is_https(url) and urlsplit(url).netloc in named
