"""The search for an environment's region, if it is unknown at the Auth URL."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import httpx
from django.conf import settings

from pingone_integration.calls.api import http_client
from pingone_integration.calls.database import give_back
from pingone_integration.calls.responses import json_object
from pingone_integration.connection.regions import REGIONS

TIMEOUT = httpx.Timeout(4.0, connect=2.0)  # a person waits for the slowest of them


def auth_url_of_environment(environment_id: UUID, *, not_at: str) -> str | None:
    """Return the Auth URL that knows the environment, or None if there is none.

    Asks the other regions (the other custom hosts if `not_at` is custom) in parallel for a public document.
    """
    custom = settings.PINGONE_CUSTOM_HOSTS
    hosts = list(custom) if not_at in custom else [region.auth_url for region in REGIONS]
    others = [host for host in hosts if host != not_at]
    if not others:
        return None
    give_back()
    with ThreadPoolExecutor(len(others)) as threads:
        known = threads.map(lambda host: _knows(host, environment_id), others)
    return next((host for host, found in zip(others, known, strict=True) if found), None)


def _knows(auth_url: str, environment_id: UUID) -> bool:
    issuer = f"{auth_url}/{environment_id}/as"
    try:
        response = http_client().get(f"{issuer}/.well-known/openid-configuration", timeout=TIMEOUT)
    except httpx.HTTPError:
        return False
    return response.is_success and (json_object(response) or {}).get("issuer") == issuer
