"""The way out to PingOne: the trusted CAs and the proxy, two settings of this server.

A proxy resolves names itself, so no check of an address here could bind it. Three rules hold in its place: only hosts
of regions.py are called, by name; TLS ends at that host and not at the proxy, so that its certificate has to prove the
name; and what has no TLS, or means "this machine", never goes to the proxy. docs/security.md has the reasons.
"""

import ssl
from functools import cache
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import httpx
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

_PROXY = (
    "PINGONE_PROXY must be http://host:port or https://host:port, or http://user:password@host:port: "
    "a scheme and a host without a path. It is not repeated here, because it may have a password."
)


def parse_proxy(url: str) -> str:
    """Return the URL of the proxy, or "" for none. Raises ImproperlyConfigured."""
    if not url:
        return ""
    try:
        parts = urlsplit(url)
        httpx.Proxy(url)
        usable = bool(parts.hostname) and parts.port != 0
    except (ValueError, httpx.InvalidURL):
        raise ImproperlyConfigured(_PROXY) from None
    more_than_a_host = parts.path.strip("/") or parts.query or parts.fragment or not url.isprintable() or " " in url
    if parts.scheme not in {"http", "https"} or not usable or more_than_a_host:
        raise ImproperlyConfigured(_PROXY)
    return url


def check_ca_bundle(path: str) -> str:
    """Return the path of the bundle, or "" for none. Raises ImproperlyConfigured unless it has a CA certificate."""
    if not path:
        return ""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cafile=path)
    except (OSError, ValueError) as error:  # also ssl.SSLError: a file without a certificate
        raise ImproperlyConfigured(f"PINGONE_CA_BUNDLE: {path!r} is no readable PEM file of certificates") from error
    if not context.cert_store_stats()["x509_ca"]:
        raise ImproperlyConfigured(f"PINGONE_CA_BUNDLE: {path!r} has no certificate of a CA")
    return path


@cache
def tls_context() -> ssl.SSLContext:
    """Return the TLS context of every call: the usual CAs, and those of PINGONE_CA_BUNDLE."""
    context = httpx.create_ssl_context(trust_env=False)
    if settings.PINGONE_CA_BUNDLE:
        context.load_verify_locations(cafile=settings.PINGONE_CA_BUNDLE)
    return context


def new_transport(url: str = "", **options: Any) -> httpx.HTTPTransport:
    """Return a transport; by the proxy at `url`, if there is one."""
    return httpx.HTTPTransport(verify=tls_context(), trust_env=False, proxy=url or None, **options)


def uses_proxy(scheme: str, host: str) -> bool:
    """Return whether calls to this host go by the proxy.

    Without TLS, the proxy could read the token. And the proxy's "localhost" is another machine than ours.
    """
    return bool(settings.PINGONE_PROXY) and scheme == "https" and not is_here(host)


def is_here(host: str) -> bool:
    """Return whether a host name or address means this machine."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def certificate_by_proxy(url: str, *, timeout_s: float) -> dict[str, Any]:
    """Return the certificate of a host behind the proxy, after a new handshake.

    Raises OSError (also ssl.SSLError) unless the host proves its identity.
    """
    transport = new_transport(settings.PINGONE_PROXY)
    try:
        with (
            httpx.Client(transport=transport, timeout=timeout_s, trust_env=False) as client,
            client.stream("HEAD", url) as response,
        ):
            secured = response.extensions["network_stream"].get_extra_info("ssl_object")
            return secured.getpeercert() or {}
    except httpx.HTTPError as error:
        raise _as_os_error(error) from error


def _as_os_error(error: BaseException) -> OSError:
    """Return the system's error behind an error of httpx, for example of the certificate."""
    found: BaseException | None = error
    while found:
        if isinstance(found, OSError):
            return found
        found = found.__cause__ or found.__context__
    return ConnectionError(0, str(error)) if isinstance(error, httpx.ProxyError) else TimeoutError()
