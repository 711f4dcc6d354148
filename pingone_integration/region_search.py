"""Where an environment really is, when the Auth URL's region does not know it."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import httpx

from pingone_integration.api import http_client
from pingone_integration.regions import REGIONS, Region
from pingone_integration.responses import json_object

TIMEOUT = httpx.Timeout(4.0, connect=2.0)  # a person waits for the slowest of them


def region_of_environment(environment_id: UUID, *, not_at: str) -> Region | None:
    """The one of PingOne's regions, other than that of the Auth URL `not_at`, whose sign-on service knows it.

    Asks all of them at the same time for a public document; None: none of them answered with it.
    """
    others = [region for region in REGIONS if region.auth_url != not_at]
    with ThreadPoolExecutor(len(others)) as threads:
        known = threads.map(lambda region: _knows(region, environment_id), others)
    return next((region for region, found in zip(others, known, strict=True) if found), None)


def _knows(region: Region, environment_id: UUID) -> bool:
    issuer = f"{region.auth_url}/{environment_id}/as"
    try:
        response = http_client().get(f"{issuer}/.well-known/openid-configuration", timeout=TIMEOUT)
    except httpx.HTTPError:
        return False
    return response.is_success and (json_object(response) or {}).get("issuer") == issuer
