"""The license's rate limits, and the share of them that one address may use, as far as PingOne shows them."""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network

from django.conf import settings

from pingone_integration.connection.open_api import open_api
from pingone_integration.errors import Blocked, MissingPermission, NotFound, PingOneError
from pingone_integration.models import Connection
from pingone_integration.values import Json, json_object, text, whole_number

_NAMED = {"rlgDirAccessRps": "reads", "rlgDirWriteRps": "changes", "rlgMfaRps": "MFA calls"}
MOST = 2**31 - 1  # fits the column
WHOLE = 100  # percent

Network = IPv4Network | IPv6Network


def read(connection: Connection) -> dict[str, int]:
    """Return the known limits in calls a second: `{"reads": 100}`.

    All clients of the license share them. Stores the limit of reads for rate_limit.py.

    Raises MissingPermission, Blocked or NotFound if PingOne does not show them to the administrator.
    Source: PingOne API reference, Platform > Rate limiting, and Environments > Capabilities (read 2026-11).
    """
    quantities = json_object(open_api(connection).get("/capabilities").get("licenseQuantities"))
    limits = {
        what: limit
        for name, what in _NAMED.items()
        if (limit := whole_number(json_object(quantities.get(name)).get("limit"))) is not None
    }
    licensed = limits.get("reads")
    known = licensed is not None and 0 < licensed <= MOST
    Connection.objects.filter(pk=connection.pk).update(licensed_calls=licensed if known else None)
    return limits


@dataclass(frozen=True)
class Share:
    """The share of the license's limits that this server may use."""

    percent: int
    is_excepted: bool  # PingOne lists this server's addresses as allowed to use all of it
    others_are_excepted: bool  # PingOne lists addresses, and this server's are unknown or not among them


def read_share(connection: Connection) -> Share:
    """Return the share, from PingOne's list of allowed IPs and OUTGOING_ADDRESSES, and store it for rate_limit.py.

    A list that PingOne does not show, or that cannot be read, leaves the share of the setting.
    Source: PingOne API reference, Platform > Rate limiting > Read All Rate Limit Configurations (read 2026-11).
    """
    try:
        body = open_api(connection).get("/rateLimitIpConfigs")
    except (MissingPermission, Blocked, NotFound):
        body = {}
    except PingOneError:  # PingOne has a problem right now, which changes no share
        kept = connection.rate_share if settings.OUTGOING_ADDRESSES else None
        return Share(kept or settings.PINGONE_RATE_SHARE, is_excepted=False, others_are_excepted=False)
    excepted = list(_excepted(body))
    ours = [ip_network(address) for address in settings.OUTGOING_ADDRESSES]
    is_excepted = bool(ours) and all(any(_contains(network, mine) for network in excepted) for mine in ours)
    Connection.objects.filter(pk=connection.pk).update(rate_share=WHOLE if is_excepted else None)
    percent = WHOLE if is_excepted else settings.PINGONE_RATE_SHARE
    return Share(percent, is_excepted, others_are_excepted=bool(excepted) and not is_excepted)


def _excepted(body: Json) -> Iterator[Network]:
    """Yield the networks of all entries that can be read."""
    for listed in json_object(body.get("_embedded")).values():
        for entry in listed if isinstance(listed, list) else []:
            if text(json_object(entry).get("type")) != "WHITELIST":
                continue
            try:
                yield ip_network(text(entry.get("value")).strip(), strict=False)
            except ValueError:
                continue


def _contains(network: Network, mine: Network) -> bool:
    if isinstance(network, IPv4Network):
        return isinstance(mine, IPv4Network) and mine.subnet_of(network)
    return isinstance(mine, IPv6Network) and mine.subnet_of(network)
