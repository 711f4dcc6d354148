"""The provider's endpoints and keys, read from its discovery document."""

from dataclasses import asdict
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.core.cache import cache

from pingone_integration.calls.responses import json_object
from pingone_integration.connection.discovery import SignOnService, get
from pingone_integration.errors import PingOneError
from pingone_integration.openid_connect.configuration import is_named
from pingone_integration.openid_connect.errors import NotVouchedFor, Reason

_KEPT_S = 300  # a stranger who begins to sign in causes no call
_NEEDED = ("authorization_endpoint", "token_endpoint", "jwks_uri")


def discover() -> SignOnService:
    """Return the endpoints of this server's provider. Raises NotVouchedFor.

    Prevents SSRF: neither a call nor a redirect goes to a host that whoever runs this server did not name.
    """
    key = f"openid-connect-{sha256(settings.OIDC_ISSUER.encode()).hexdigest()}"
    document = cache.get(key)
    found = _checked(document or _read())
    if document is None:
        cache.set(key, asdict(found), _KEPT_S)
    return found


def _read() -> dict[str, Any]:
    address = f"{settings.OIDC_ISSUER.rstrip('/')}/.well-known/openid-configuration"
    if not is_named(address):
        raise NotVouchedFor(Reason.WRONG_ADDRESSES, address)
    try:
        response, _trace = get(address)
    except PingOneError as error:
        raise NotVouchedFor(Reason.UNREACHABLE, str(error)) from error
    document = json_object(response) if response.is_success else None
    if document is None:
        raise NotVouchedFor(Reason.UNREACHABLE, f"{address}: {response.status_code}")
    return document


def _checked(document: dict[str, Any]) -> SignOnService:
    if document.get("issuer") != settings.OIDC_ISSUER:
        raise NotVouchedFor(Reason.WRONG_ADDRESSES, "the discovery document names another issuer")
    found = {name: str(document.get(name) or "") for name in (*_NEEDED, "end_session_endpoint")}
    for name, url in found.items():
        if not (is_named(url) or (not url and name not in _NEEDED)):
            raise NotVouchedFor(Reason.WRONG_ADDRESSES, f"{name} is on a host that OIDC_HOSTS does not name")
    userinfo = str(document.get("userinfo_endpoint") or "")
    if not is_named(userinfo):
        userinfo = ""  # Microsoft's is on another host, and says nothing that the ID token does not
    return SignOnService(issuer=settings.OIDC_ISSUER, revocation_endpoint="", userinfo_endpoint=userinfo, **found)
