"""PingOne's regions: which hosts there are, and which management API belongs to an Auth URL."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings

from pingone_integration.errors import InvalidApiUrl


@dataclass(frozen=True)
class Region:
    """One of PingOne's regions; an organization at PingOne has all its environments in one."""

    code: str
    name: str
    tld: str

    @property
    def auth_url(self) -> str:
        return f"https://auth.pingone.{self.tld}"

    @property
    def api_url(self) -> str:
        return f"https://api.pingone.{self.tld}"


# Source: PingOne API reference, "PingOne API requests" (read 2026-11): the complete list.
REGIONS = (
    Region("NA", "North America", "com"),
    Region("CA", "Canada", "ca"),
    Region("EU", "European Union", "eu"),
    Region("AU", "Australia", "com.au"),
    Region("SG", "Singapore", "sg"),
    Region("AP", "Asia-Pacific", "asia"),
)

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True)
class AuthUrl:
    """What somebody pasted as the Auth URL, understood."""

    base: str  # scheme and host, no path and no trailing slash
    environment_id: UUID | None  # when a whole issuer or discovery URL was pasted


def parse_custom_hosts(pairs: list[str]) -> dict[str, str]:
    """`["https://login.acme.test=https://api.pingone.eu"]` -> auth base to API base."""
    hosts = {}
    for pair in pairs:
        auth, _, api = pair.partition("=")
        for url in (auth, api):
            parts = urlsplit(url)
            if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/"):
                raise ValueError(f"PINGONE_CUSTOM_HOSTS: {pair!r} is not AUTH_BASE=API_BASE")
        hosts[auth.rstrip("/").lower()] = api.rstrip("/").lower()
    return hosts


def api_url_for(auth_url: str) -> str:
    """The management API that belongs to an Auth URL.

    Raises InvalidApiUrl for a host that is neither PingOne's nor listed in PINGONE_CUSTOM_HOSTS: nothing else is
    ever contacted.
    """
    custom: dict[str, str] = settings.PINGONE_CUSTOM_HOSTS
    by_auth_url = {region.auth_url: region.api_url for region in REGIONS} | custom
    try:
        return by_auth_url[auth_url]
    except KeyError:
        raise InvalidApiUrl(f"{auth_url} is not an Auth URL of PingOne") from None


def parse_auth_url(text: str) -> AuthUrl:
    """Understand what people paste: a bare host, a trailing slash, a whole issuer or discovery URL.

    Raises InvalidApiUrl, with what was expected, for anything that is not an Auth URL this server may contact.
    """
    pasted = text.strip().lower()
    if "://" not in pasted:
        pasted = f"https://{pasted}"
    parts = urlsplit(pasted)
    base = f"{parts.scheme}://{parts.netloc}"
    api_url_for(base)
    found = _UUID.search(parts.path)
    return AuthUrl(base=base, environment_id=UUID(found[0]) if found else None)
