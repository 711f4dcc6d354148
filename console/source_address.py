"""The real source address of a request, behind the proxies that this server trusts."""

from ipaddress import ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest


def source_address(request: HttpRequest) -> str:
    """Return the IP address, empty if there is none, as on a Unix socket.

    X-Forwarded-For is read from its end, the only part that a trusted proxy wrote, up to the first address that is
    not a trusted proxy's. So a browser cannot forge its address.
    """
    address = _normalized(request.META.get("REMOTE_ADDR", ""))
    forwarded = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
    while address and forwarded and _is_trusted(address):
        nearer = _normalized(forwarded.pop())
        if not nearer:
            break
        address = nearer
    return address


def _normalized(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        return ""


def _is_trusted(address: str) -> bool:
    found = ip_address(address)
    return any(found in ip_network(proxy) for proxy in settings.TRUSTED_PROXIES)
