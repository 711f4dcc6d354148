"""The check that gunicorn listens to this machine only, or to a proxy that the server's administrator named."""

from collections.abc import Iterable
from ipaddress import ip_address

from django.core.exceptions import ImproperlyConfigured
from gunicorn.util import parse_address


def check_bind_address(addresses: Iterable[str], trusted_proxies: list[str]) -> None:
    """Raise ImproperlyConfigured for an address that others can reach, unless there are trusted proxies.

    gunicorn's threads wait for slow clients. Only a proxy that reads whole requests first keeps them free.
    """
    for address in addresses:
        if not trusted_proxies and not _is_local(address):
            raise ImproperlyConfigured(
                f"BIND is {address}, which other machines can reach, but TRUSTED_PROXIES is empty. Bind to 127.0.0.1, "
                "or put a reverse proxy that buffers requests in front, and list its address or network in "
                "TRUSTED_PROXIES: in a container, that of the proxy's container. docs/deploying.md says how."
            )


def _is_local(address: str) -> bool:
    parsed = parse_address(address)
    if not isinstance(parsed, tuple):  # a Unix socket or an open file
        return True
    host = str(parsed[0])
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
