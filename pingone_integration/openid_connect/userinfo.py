"""What the provider's userinfo endpoint says of a person, for providers that leave it out of the ID token.

Only who the person is: how and when they signed in is for the signed ID token alone.
Source: OpenID Connect Core 1.0, 5.3.
"""

from typing import Any

import httpx
from django.conf import settings

from pingone_integration.calls.api import http_client
from pingone_integration.calls.responses import json_object
from pingone_integration.connection.discovery import SignOnService
from pingone_integration.openid_connect.errors import NotVouchedFor, Reason

Claims = dict[str, Any]


def completed(claims: Claims, service: SignOnService, access_token: str) -> Claims:
    """Return the claims of a verified ID token, with groups, name and email from userinfo if it lacks them.

    An answer that is not usable lets nobody in: without their groups, people would lose their roles. Raises
    NotVouchedFor.
    """
    _check_listed(claims)
    if not service.userinfo_endpoint or all(claims.get(name) is not None for name in _wanted()):
        return claims
    told = _read(service.userinfo_endpoint, access_token)
    if told.get("sub") != claims["sub"]:  # a token that was put in the place of another
        raise NotVouchedFor(Reason.UNVERIFIED, "userinfo is about another subject")
    _check_listed(told)
    more = {name: told.get(name) for name in _wanted() if claims.get(name) is None}
    if "email" in more:  # one source for both: it vouches for its own address only
        more["email_verified"] = told.get("email_verified")
    return claims | more


def _wanted() -> tuple[str, ...]:
    return (settings.OIDC_GROUPS_CLAIM, "email", "name")


def _check_listed(claims: Claims) -> None:
    """Raise NotVouchedFor if the groups are somewhere else: too many for a token, at Microsoft Entra ID.

    Source: OpenID Connect Core 1.0, 5.6.2 (distributed claims).
    """
    elsewhere = claims.get("_claim_names")
    if isinstance(elsewhere, dict) and settings.OIDC_GROUPS_CLAIM in elsewhere:
        raise NotVouchedFor(Reason.GROUPS_ELSEWHERE)


def _read(url: str, access_token: str) -> Claims:
    try:
        response = http_client().get(url, headers={"Authorization": f"Bearer {access_token}"})
    except httpx.HTTPError as error:
        raise NotVouchedFor(Reason.UNREACHABLE, f"GET {url}: {error}") from error
    told = json_object(response) if response.is_success else None
    if told is None:
        raise NotVouchedFor(Reason.UNREACHABLE, f"GET {url}: {response.status_code}, no claims")
    return told
