"""The license's rate limits, as far as PingOne shows them."""

from pingone_integration.connection.open_api import open_api
from pingone_integration.models import Connection
from pingone_integration.values import json_object, whole_number

_NAMED = {"rlgDirAccessRps": "reads", "rlgDirWriteRps": "changes", "rlgMfaRps": "MFA calls"}
MOST = 2**31 - 1  # fits the column


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
