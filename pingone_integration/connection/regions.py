"""PingOne's regions: their hosts, and the management API of each Auth URL.

This prevents SSRF: only the hosts listed here and in PINGONE_CUSTOM_HOSTS are contacted. Pasted text is only compared
with that list, and the result is always an entry of the list, never a part of the text.
"""

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit
from uuid import UUID

from django.conf import settings
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from pingone_integration.errors import InvalidApiUrl
from pingone_integration.texts import Text, english
from pingone_integration.typed.text import Kind, clean, odd_character


@dataclass(frozen=True)
class Region:
    """A region of PingOne. An organization has all its environments in one region."""

    code: str
    name: Text
    tld: str

    @property
    def auth_url(self) -> str:
        return f"https://auth.pingone.{self.tld}"

    @property
    def api_url(self) -> str:
        return f"https://api.pingone.{self.tld}"


# Source: PingOne API reference, "PingOne API requests" (read 2026-11): the complete list.
REGIONS = (
    Region("NA", _("North America"), "com"),
    Region("CA", _("Canada"), "ca"),
    Region("EU", _("European Union"), "eu"),
    Region("AU", _("Australia"), "com.au"),
    Region("SG", _("Singapore"), "sg"),
    Region("AP", _("Asia-Pacific"), "asia"),
)

_REGION_BY_TLD = {region.tld: region for region in REGIONS}
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_ENVIRONMENT_ID = re.compile(rf"(?:urn:uuid:)?(?:({_UUID})|\{{({_UUID})\}}|([0-9a-f]{{32}}))")
# /<environment>/as/.well-known/openid-configuration and every shorter form; without an environment on a custom domain
_ISSUER_PATH = re.compile(rf"/*(?:({_UUID}))?(?:/*as(?:/[a-z._/-]*)?)?/*")
_OTHER_PINGONE_HOST = re.compile(r"([a-z-]+)\.pingone\.([a-z.]+)")
_LONGEST = 1000


@dataclass(frozen=True)
class AuthUrl:
    """A parsed Auth URL."""

    base: str  # scheme and host, no path and no trailing slash
    environment_id: UUID | None  # None if the pasted URL names none


def parse_custom_hosts(pairs: list[str]) -> dict[str, str]:
    """Parse `["https://login.acme.test=https://api.pingone.eu"]` into API bases by auth base."""
    hosts = {}
    for pair in pairs:
        auth, _, api = pair.partition("=")
        for url in (auth, api):
            parts = urlsplit(url)
            more_than_a_host = parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc
            if parts.scheme not in {"http", "https"} or not parts.hostname or more_than_a_host:
                raise ValueError(f"PINGONE_CUSTOM_HOSTS: {pair!r} is not AUTH_BASE=API_BASE")
        hosts[auth.rstrip("/").lower()] = api.rstrip("/").lower()
    return hosts


def api_url_for(auth_url: str) -> str:
    """Return the management API of an Auth URL.

    Raises InvalidApiUrl for a host that is neither PingOne's nor listed in PINGONE_CUSTOM_HOSTS: no other host is
    ever contacted.
    """
    try:
        return _api_by_auth_url()[auth_url]
    except KeyError:
        raise InvalidApiUrl(f"{auth_url} is not an Auth URL of PingOne.") from None


def region_of(auth_url: str) -> Region | None:
    """Return the region of an Auth URL, or None if its API is in no region, as with a sandbox."""
    api_url = api_url_for(auth_url)
    return next((region for region in REGIONS if region.api_url == api_url), None)


def parse_auth_url(text: str) -> AuthUrl:
    """Parse a pasted Auth URL: a bare host, a trailing slash, a whole issuer or discovery URL.

    Raises InvalidApiUrl for anything but an Auth URL that this server may contact. Its text names the problem and the
    expected URLs.
    """
    pasted = clean(text, Kind.ID)
    # Check before any parsing: urlsplit() drops some control characters, lower() turns some letters of
    # other alphabets into ASCII, and browsers read a backslash as a slash.
    if odd := odd_character(pasted[: _LONGEST + 1], r"[!-\[\]-~]", what=_("The Auth URL")):
        raise _unexpected(odd)
    if len(pasted) > _LONGEST:
        raise _unexpected(_("This is too long for an Auth URL."))
    try:
        parts = _split(pasted.lower())
        explicit_port = parts.port
    except ValueError:
        raise _unexpected(_("This is not a URL.")) from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise _unexpected(_("An Auth URL starts with https:// and a host name."))
    if "@" in parts.netloc:
        raise _unexpected(_("An Auth URL has no username in it."))
    base = _listed_base(parts, explicit_port)
    path = _ISSUER_PATH.fullmatch(parts.path)
    if path is None:
        too_much = _("After the host, only an Environment ID and /as can follow. Try just {url}")
        raise invalid_url(format_lazy(too_much, url=base))
    return AuthUrl(base=base, environment_id=UUID(path[1]) if path[1] else None)


def parse_environment_id(text: str) -> UUID:
    """Parse a UUID as people paste it: any case, in braces or quotes, with or without hyphens. Raises InvalidApiUrl."""
    pasted = clean(text, Kind.ID).lower()
    found = _ENVIRONMENT_ID.fullmatch(pasted)
    if found is None:
        expected = _(
            "An Environment ID is a UUID: 32 hexadecimal digits in five groups, for example "
            "5b1f0c7e-9a34-4f0d-8c55-2f6e0d9a7711. PingOne shows it under Settings, Environment Properties."
        )
        odd = odd_character(pasted.removeprefix("urn:uuid:"), r"[0-9a-f{}-]", what=_("This"))
        raise invalid_url(format_lazy("{} {}", odd, expected) if odd else expected)
    return UUID(found[1] or found[2] or found[3])


def _api_by_auth_url() -> dict[str, str]:
    custom: dict[str, str] = settings.PINGONE_CUSTOM_HOSTS
    return {region.auth_url: region.api_url for region in REGIONS} | custom


def _split(pasted: str) -> SplitResult:
    """Split a URL that may lack its scheme. Raises ValueError for bad brackets in a host."""
    if "://" not in pasted.partition("?")[0]:
        pasted = f"https://{pasted.lstrip('/')}"
    return urlsplit(pasted)


def _listed_base(parts: SplitResult, explicit_port: int | None) -> str:
    """Return the listed Auth URL with this host and port, and the listed scheme. Raises InvalidApiUrl."""
    for base in _api_by_auth_url():
        listed = urlsplit(base)
        default_port = 443 if listed.scheme == "https" else 80
        asked = default_port if explicit_port is None else explicit_port
        if (listed.hostname, listed.port or default_port) == (parts.hostname, asked):
            return base
    raise _not_listed(str(parts.hostname), explicit_port)


def _not_listed(hostname: str, explicit_port: int | None) -> InvalidApiUrl:
    """Return the error for a host that is no Auth URL, with its reason."""
    other = _OTHER_PINGONE_HOST.fullmatch(hostname)
    region = _REGION_BY_TLD.get(other[2]) if other else None
    if other is None or region is None:
        return _unexpected(format_lazy(_("{host} is not a PingOne sign-in host."), host=hostname))
    if other[1] == "auth":
        wrong_port = _("PingOne does not use port {port}. The Auth URL of {region} is {url}")
        return invalid_url(format_lazy(wrong_port, port=explicit_port, region=region.name, url=region.auth_url))
    text = _OTHER_HOSTS.get(other[1], _("{host} is another PingOne service. The Auth URL of the same region is {url}"))
    return invalid_url(format_lazy(text, host=hostname, url=region.auth_url))


# Source: PingOne API reference, "PingOne API requests" (read 2026-11).
_OTHER_HOSTS = {
    "api": _("{host} is the management API. The Auth URL of the same region is {url}"),
    "console": _("{host} is PingOne's admin console. The Auth URL of the same region is {url}"),
    "apps": _("{host} has PingOne's own pages for users. The Auth URL of the same region is {url}"),
    "scim-api": _("{host} is the SCIM API. The Auth URL of the same region is {url}"),
    "orchestrate-api": _("{host} is the DaVinci API. The Auth URL of the same region is {url}"),
}


def invalid_url(reason: Text) -> InvalidApiUrl:
    """Return the error with its reason as the cause, for people, and in English as the detail, for the log."""
    error = InvalidApiUrl(english(reason))
    error.cause = reason
    return error


def _unexpected(reason: Text) -> InvalidApiUrl:
    """Return the error with its reason and the expected Auth URLs."""
    choices: list[Text] = [format_lazy("{} ({})", region.auth_url, region.name) for region in REGIONS]
    choices += sorted(settings.PINGONE_CUSTOM_HOSTS)
    listed = format_lazy(", ".join(["{}"] * len(choices)), *choices)
    return invalid_url(format_lazy(_("{reason} Enter one of these: {urls}."), reason=reason, urls=listed))
