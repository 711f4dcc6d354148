"""The call limits of the license: returned as PingOne states them, stored only if they make sense."""

from typing import Any

import pytest
import respx

from console.models import Organization
from pingone_integration.connection import licence
from pingone_integration.models import Connection


def remembered(acme: Organization) -> int | None:
    return Connection.objects.get(pk=acme.connection_id).licensed_calls


def quantities(reads: Any) -> dict[str, Any]:
    return {"licenseQuantities": {"rlgDirAccessRps": reads, "rlgDirWriteRps": {"limit": 50}}}


def test_read_limit_is_stored(acme: Organization, pingone: respx.MockRouter) -> None:
    pingone.get("/capabilities").respond(json=quantities({"limit": 100}))

    assert licence.read(acme.connection) == {"reads": 100, "changes": 50}
    assert remembered(acme) == 100


@pytest.mark.parametrize(
    "reads", [None, {}, {"limit": None}, {"limit": 0}, {"limit": -1}, {"limit": 2**31}, {"limit": "100"}, 100]
)
def test_odd_read_limit_clears_the_stored_limit(acme: Organization, pingone: respx.MockRouter, reads: Any) -> None:
    Connection.objects.filter(pk=acme.connection_id).update(licensed_calls=100)
    pingone.get("/capabilities").respond(json=quantities(reads))

    licence.read(acme.connection)

    assert remembered(acme) is None
