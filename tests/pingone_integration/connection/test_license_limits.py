"""The call limits of the license and this server's share: as PingOne states them, stored only if they make sense."""

from typing import Any

import pytest
import respx

from console.models import Organization
from pingone_integration.calls import rate_limit
from pingone_integration.connection import license_limits
from pingone_integration.models import Connection


def remembered(acme: Organization) -> int | None:
    return Connection.objects.get(pk=acme.connection_id).licensed_calls


def quantities(reads: Any) -> dict[str, Any]:
    return {"licenseQuantities": {"rlgDirAccessRps": reads, "rlgDirWriteRps": {"limit": 50}}}


def test_read_limit_is_stored(acme: Organization, pingone: respx.MockRouter) -> None:
    pingone.get("/capabilities").respond(json=quantities({"limit": 100}))

    assert license_limits.read(acme.connection) == {"reads": 100, "changes": 50}
    assert remembered(acme) == 100


@pytest.mark.parametrize(
    "reads", [None, {}, {"limit": None}, {"limit": 0}, {"limit": -1}, {"limit": 2**31}, {"limit": "100"}, 100]
)
def test_odd_read_limit_clears_the_stored_limit(acme: Organization, pingone: respx.MockRouter, reads: Any) -> None:
    Connection.objects.filter(pk=acme.connection_id).update(licensed_calls=100)
    pingone.get("/capabilities").respond(json=quantities(reads))

    license_limits.read(acme.connection)

    assert remembered(acme) is None


def allowed(*entries: Any) -> dict[str, Any]:
    return {"_embedded": {"rateLimitIpConfigs": list(entries)}}


def white(value: Any) -> dict[str, Any]:
    return {"type": "WHITELIST", "value": value}


@pytest.mark.parametrize(
    ("ours", "listed", "percent"),
    [
        (["203.0.113.7"], [white("203.0.113.0/24")], 100),
        (["203.0.113.7"], [white("203.0.113.7")], 100),
        (["203.0.113.7"], [white("203.0.113.9/24")], 100),  # host bits are set
        (["203.0.113.7", "2001:db8::7"], [white("2001:db8::/32"), white(" 203.0.113.7 ")], 100),
        (["203.0.113.0/28"], [white("203.0.113.0/24")], 100),
        (["203.0.113.0/24"], [white("203.0.113.0/28")], 35),
        (["203.0.113.7", "198.51.100.1"], [white("203.0.113.0/24")], 35),
        (["203.0.113.7"], [white("2001:db8::/32")], 35),
        (["203.0.113.7"], [{"type": "BLACKLIST", "value": "203.0.113.7"}], 35),
        (["203.0.113.7"], [white("everybody"), white(None), white(["203.0.113.7"]), "odd", None], 35),
        ([], [white("0.0.0.0/0")], 35),
        ([], [], 35),
    ],
)
def test_server_among_the_allowed_ips_may_use_the_whole_limit(
    acme: Organization, pingone: respx.MockRouter, settings: Any, ours: list[str], listed: list[Any], percent: int
) -> None:
    Connection.objects.update(licensed_calls=200)
    settings.OUTGOING_ADDRESSES = ours
    pingone.get("/rateLimitIpConfigs").respond(json=allowed(*listed))

    assert license_limits.read_share(acme.connection).percent == percent

    assert rate_limit.headroom(Connection.objects.get(pk=acme.connection_id)).limit == 2 * percent


@pytest.mark.parametrize(
    ("status", "body", "kept"),
    [
        (200, {}, 70),
        (200, {"_embedded": []}, 70),
        (200, {"_embedded": {"rateLimitIpConfigs": {}}}, 70),
        (403, {"code": "ACCESS_FAILED"}, 70),
        (403, {"message": "no such path"}, 70),
        (404, {"code": "NOT_FOUND"}, 70),
        (500, {}, 200),  # says nothing about the list: the share read before stays
    ],
)
def test_list_that_is_absent_or_odd_leaves_the_share_of_the_setting(
    acme: Organization, pingone: respx.MockRouter, settings: Any, status: int, body: Any, kept: int
) -> None:
    Connection.objects.update(licensed_calls=200, rate_share=100)
    acme.connection.refresh_from_db()
    settings.OUTGOING_ADDRESSES = ["203.0.113.7"]
    pingone.get("/rateLimitIpConfigs").respond(status, json=body)

    license_limits.read_share(acme.connection)

    assert rate_limit.headroom(Connection.objects.get(pk=acme.connection_id)).limit == kept


@pytest.mark.parametrize(("percent", "limit"), [(35, 70), (100, 200), (1, 2)])
def test_share_is_a_setting(acme: Organization, settings: Any, percent: int, limit: int) -> None:
    settings.PINGONE_RATE_SHARE = percent
    Connection.objects.update(licensed_calls=200, rate_share=100)  # of addresses that are no longer set

    assert rate_limit.headroom(Connection.objects.get(pk=acme.connection_id)).limit == limit
