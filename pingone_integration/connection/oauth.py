"""The OAuth 2.0 client of a connection: authorize URL, code exchange, refresh and revocation, with Authlib."""

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.client import OAuth2Client
from django.utils import timezone

from pingone_integration.calls import deadline
from pingone_integration.calls.responses import json_object, oauth_error_of, traced
from pingone_integration.calls.transport import client_options
from pingone_integration.connection.discovery import SignOnService, discover
from pingone_integration.errors import ConnectionFailure, PingOneError, SettingsIncomplete, Trace, Unavailable
from pingone_integration.models import Connection
from pingone_integration.values import text

SCOPE = "openid profile email"
# One exchange, with its discovery, has to fit into the lease of tokens.py.
TIMEOUT = httpx.Timeout(8.0, connect=3.0)
UNSTATED_LIFETIME_S = 300  # PingOne always states a lifetime; a short guess only costs a refresh
LONGEST_LIFETIME_S = 30 * 24 * 3600


@dataclass(frozen=True, kw_only=True)
class Grant:
    """A response of the token endpoint."""

    access_token: str = field(repr=False)
    expires_at: datetime
    refresh_token: str = field(repr=False)  # empty if none came
    id_token: str = field(repr=False)  # empty if none came
    scope: str  # empty if as requested


@dataclass(frozen=True)
class OAuthClient:
    """The OAuth client of one connection's PingOne application."""

    service: SignOnService
    client_id: str
    method: str  # one of Connection.ClientAuthentication
    _authlib: Any = field(repr=False)

    def with_method(self, method: str) -> "OAuthClient":
        """Return the same client with another authentication method."""
        return client_of(self.service, self.client_id, self._authlib.client_secret, method)

    def authorize_url(
        self, *, redirect_uri: str, state: str, nonce: str, code_verifier: str, scope: str = SCOPE, **more: str | int
    ) -> str:
        url, _ = self._authlib.create_authorization_url(
            self.service.authorization_endpoint,
            redirect_uri=redirect_uri,
            scope=scope,
            state=state,
            nonce=nonce,
            code_verifier=code_verifier,
            **more,
        )
        return str(url)

    def exchange_code(self, code: str, *, redirect_uri: str, code_verifier: str) -> Grant:
        """Exchange the authorization code.

        Raises AuthenticationError, TokenRefreshFailure for invalid_grant, ConnectionFailure, Unavailable.
        """
        return self._granted(
            lambda: self._authlib.fetch_token(
                self.service.token_endpoint,
                grant_type="authorization_code",
                code=code,
                redirect_uri=redirect_uri,
                code_verifier=code_verifier,
            )
        )

    def refresh(self, refresh_token: str) -> Grant:
        """Refresh the grant. Raises as `exchange_code`; after Unavailable, `refresh_token` may be used up."""
        return self._granted(
            lambda: self._authlib.refresh_token(self.service.token_endpoint, refresh_token=refresh_token)
        )

    def revoke(self, token: str, *, kind: str) -> None:
        """Revoke an access_token or refresh_token (`kind`). Raises a PingOneError unless PingOne confirms."""
        url = self.service.revocation_endpoint
        response = _conversation(url, lambda: self._authlib.revoke_token(url, token=token, token_type_hint=kind))
        if not response.is_success:
            raise oauth_error_of(response, Trace(call=f"POST {url}"))

    def _granted(self, ask: Callable[[], dict[str, Any]]) -> Grant:
        asked_at = timezone.now()
        deadline.require_time()
        with deadline.lifted():  # giving up would lose the code or the grant with the response
            token = _conversation(self.service.token_endpoint, ask)
        return Grant(
            access_token=token["access_token"],
            expires_at=asked_at + timedelta(seconds=_lifetime(token.get("expires_in"))),
            refresh_token=text(token.get("refresh_token")),
            id_token=text(token.get("id_token")),
            scope=text(token.get("scope")),
        )


def open_client(connection: Connection) -> OAuthClient:
    """Return the client, after discovery of the endpoints.

    Raises SettingsIncomplete, SealBroken, and the errors of `discover`.
    """
    secret = connection.unseal("client_secret")
    if not (connection.client_id and secret and connection.auth_url and connection.environment_id):
        raise SettingsIncomplete
    service = discover(connection.auth_url, connection.environment_id)
    return client_of(service, connection.client_id, secret, connection.client_authentication)


class _ClientAuth(ClientAuth, httpx.Auth):  # type: ignore[misc]  # Authlib has no types
    """The client's credentials in a request of httpx. Authlib's integration takes httpx2 as soon as there is one."""

    requires_request_body = True

    def auth_flow(self, request: httpx.Request) -> Iterator[httpx.Request]:  # type: ignore[override]
        url, headers, body = self.prepare(request.method, str(request.url), request.headers, request.content)
        headers.pop("Content-Length", None)  # the credentials may have made the body longer
        yield httpx.Request(request.method, url, headers=headers, content=body, extensions=request.extensions)


class _Client(OAuth2Client):  # type: ignore[misc]
    client_auth_class = _ClientAuth


def client_of(service: SignOnService, client_id: str, secret: str, method: str) -> OAuthClient:
    client = _Client(
        httpx.Client(**client_options() | {"timeout": TIMEOUT}),
        client_id=client_id,
        client_secret=secret,
        token_endpoint_auth_method=method,
        revocation_endpoint_auth_method=method,
        code_challenge_method="S256",
    )
    client.register_client_auth_method((Connection.ClientAuthentication.BASIC.value, _basic))
    client.register_compliance_hook("access_token_response", _checked)
    client.register_compliance_hook("refresh_token_response", _checked)
    return OAuthClient(service, client_id, method, client)


def _basic(client: Any, method: str, url: str, headers: Any, body: bytes) -> tuple[str, Any, bytes]:
    """Form-encode client ID and secret first (RFC 6749, 2.3.1), which Authlib omits."""
    pair = f"{quote(client.client_id, safe='')}:{quote(client.client_secret, safe='')}"
    headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    return url, headers, body


def _conversation(url: str, ask: Callable[[], Any]) -> Any:
    """Return the result of `ask`. Raises network errors as PingOneErrors."""
    trace = Trace(call=f"POST {url}")
    try:
        return ask()
    except PingOneError:
        raise
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        raise ConnectionFailure(str(error), trace=trace) from error
    except httpx.HTTPError as error:
        raise Unavailable(str(error), trace=trace) from error


def _checked(response: httpx.Response) -> httpx.Response:
    """Check a token response (Authlib hook). Raises a PingOneError without a usable token."""
    trace = Trace(call=f"POST {response.request.url}")
    if not response.is_success:
        raise oauth_error_of(response, trace)
    body = json_object(response) or {}
    token = body.get("access_token")
    usable = isinstance(token, str) and token.isascii() and token.isprintable() and bool(token)
    if not usable or str(body.get("token_type", "")).lower() != "bearer":
        raise Unavailable("no usable access token", trace=traced(response, {}, trace))
    body["expires_in"] = _lifetime(body.get("expires_in"))
    return httpx.Response(response.status_code, json=body, request=response.request)


def _lifetime(stated: Any) -> int:
    """Return `expires_in` as seconds, within limits."""
    try:
        return min(max(int(stated), 0), LONGEST_LIFETIME_S)
    except (TypeError, ValueError, OverflowError):
        return UNSTATED_LIFETIME_S
