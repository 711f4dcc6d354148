"""The authorization code flow with PKCE: to the provider, and back with a code.

Authlib and joserfc do what they do for a connection to PingOne, over the same HTTP client: its proxy, CA bundle and
bounds hold here as well.
"""

import secrets
from dataclasses import dataclass, field
from urllib.parse import urlencode

from django.conf import settings

from pingone_integration.connection.discovery import SignOnService, signing_keys
from pingone_integration.connection.id_tokens import LEEWAY_S, verified_claims
from pingone_integration.connection.oauth import OAuthClient, client_of
from pingone_integration.errors import (
    AuthenticationError,
    PingOneError,
    SignOnUnverified,
    TokenRefreshFailure,
)
from pingone_integration.openid_connect.discovery import discover
from pingone_integration.openid_connect.errors import NotVouchedFor, Reason
from pingone_integration.openid_connect.identity import Identity, identity_of
from pingone_integration.openid_connect.userinfo import completed

# No "none", and nothing that is signed with the client secret.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
CLOCKS_DIFFER_S = LEEWAY_S


@dataclass(frozen=True, kw_only=True)
class Begun:
    """A sign-in on its way. The browser that comes back with `state` needs the others."""

    url: str
    state: str
    nonce: str = field(repr=False)
    code_verifier: str = field(repr=False)


def begin(*, redirect_uri: str, max_age_s: int | None = None) -> Begun:
    """Return where to send the browser. `max_age_s`: how long ago the person may have proved who they are.

    Raises NotVouchedFor.
    """
    state, nonce, code_verifier = (secrets.token_urlsafe(32) for _ in range(3))
    more: dict[str, str | int] = {} if max_age_s is None else {"max_age": max_age_s}
    url = _client(discover()).authorize_url(
        redirect_uri=redirect_uri,
        state=state,
        nonce=nonce,
        code_verifier=code_verifier,
        scope=settings.OIDC_SCOPES,
        **more,
    )
    return Begun(url=url, state=state, nonce=nonce, code_verifier=code_verifier)


def finish(code: str, *, redirect_uri: str, nonce: str, code_verifier: str) -> Identity:
    """Exchange the code and return whom the provider vouches for. Raises NotVouchedFor."""
    service = discover()
    client = _client(service)
    try:
        granted = client.exchange_code(code, redirect_uri=redirect_uri, code_verifier=code_verifier)
        claims = verified_claims(
            granted.id_token,
            keys=signing_keys(service),
            issuer=service.issuer,
            client_id=client.client_id,
            nonce=nonce,
            algorithms=ALGORITHMS,
        )
        claims = completed(claims, service, granted.access_token)
    except AuthenticationError as error:
        raise NotVouchedFor(Reason.CLIENT_REFUSED, str(error)) from error
    except TokenRefreshFailure as error:
        raise NotVouchedFor(Reason.CODE_REFUSED, str(error)) from error
    except SignOnUnverified as error:
        raise NotVouchedFor(Reason.UNVERIFIED, str(error)) from error
    except PingOneError as error:
        raise NotVouchedFor(Reason.UNREACHABLE, f"{error.kind}: {error}") from error
    found = identity_of(claims, end_session_endpoint=service.end_session_endpoint)
    if found is None:
        raise NotVouchedFor(Reason.UNVERIFIED, "no usable subject")
    return found


def sign_out_url(endpoint: str, *, return_to: str) -> str:
    """Return where the browser ends the provider's own session, and comes back.

    The client ID says whose address it is to return to: the ID token would do so too, but no token belongs in a URL.
    Source: OpenID Connect RP-Initiated Logout 1.0, 2.
    """
    query = {"client_id": settings.OIDC_CLIENT_ID, "post_logout_redirect_uri": return_to}
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"


def _client(service: SignOnService) -> OAuthClient:
    return client_of(service, settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET, settings.OIDC_CLIENT_AUTHENTICATION)
