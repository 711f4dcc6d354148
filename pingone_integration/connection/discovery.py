"""OpenID Connect discovery: issuer, endpoints and signing keys of an environment."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
from django.conf import settings
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from pingone_integration.calls.api import http_client
from pingone_integration.calls.responses import object_of, traced
from pingone_integration.connection.regions import api_url_for
from pingone_integration.errors import (
    ConnectionFailure,
    InvalidApiUrl,
    Trace,
    Unavailable,
    UnknownEnvironment,
)


@dataclass(frozen=True, kw_only=True)
class SignOnService:
    """An OpenID provider. All URLs of a PingOne environment's are on the host of the Auth URL."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    revocation_endpoint: str
    jwks_uri: str
    end_session_endpoint: str = ""  # not kept for a connection
    userinfo_endpoint: str = ""  # neither


_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "revocation_endpoint", "jwks_uri")


def discover(auth_url: str, environment_id: UUID) -> SignOnService:
    """Read the discovery document. For a listed custom host, tries both forms of the path.

    A custom domain has no environment ID in its paths (PingOne API reference, Custom domains).
    Raises InvalidApiUrl, UnknownEnvironment, ConnectionFailure, Unavailable, RateLimited.
    """
    api_url_for(auth_url)
    issuers = [f"{auth_url}/{environment_id}/as"]
    if auth_url in settings.PINGONE_CUSTOM_HOSTS:
        issuers.append(f"{auth_url}/as")
    for issuer in issuers:
        response, trace = get(f"{issuer}/.well-known/openid-configuration")
        if response.status_code not in {400, 404}:
            return _checked(object_of(response, trace, wrote=False), auth_url, issuers)
    raise UnknownEnvironment(f"{issuers[0]} does not exist", trace=traced(response, {}, trace))


def signing_keys(service: SignOnService) -> KeySet:
    """Read the signing keys. Raises ConnectionFailure, Unavailable or the error of the response."""
    response, trace = get(service.jwks_uri)
    body: Any = object_of(response, trace, wrote=False)
    try:
        return KeySet.import_key_set(body)
    except (JoseError, KeyError, TypeError, ValueError) as error:
        raise Unavailable("no usable signing keys", trace=traced(response, {}, trace)) from error


def get(url: str) -> tuple[httpx.Response, Trace]:
    """Read a document. Raises ConnectionFailure."""
    trace = Trace(call=f"GET {url}")
    try:
        return http_client().get(url), trace
    except httpx.HTTPError as error:  # in any case, there was no response
        raise ConnectionFailure(str(error), trace=trace) from error


def _checked(found: dict[str, Any], auth_url: str, issuers: list[str]) -> SignOnService:
    """Prevent SSRF: refuse endpoints on another host than the Auth URL's. Raises InvalidApiUrl."""
    if found.get("issuer") not in issuers:
        raise InvalidApiUrl("the discovery document names another issuer")
    for name in _ENDPOINTS:
        if not str(found.get(name)).startswith(f"{auth_url}/"):
            raise InvalidApiUrl(f"the discovery document's {name} is on another host")
    return SignOnService(issuer=found["issuer"], **{name: found[name] for name in _ENDPOINTS})
