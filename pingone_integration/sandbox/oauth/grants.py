"""The three grant types with PingOne's additions: PKCE by application setting, ID tokens, replay protection.

Authlib passes an opaque "user". Here it is the Grant, because tokens name the session as well as the user.
Source: PingOne API reference, OpenID Connect/OAuth 2 > Token (read 2026-11).
"""

from datetime import timedelta
from typing import Any

from authlib.integrations.django_oauth2.requests import DjangoOAuth2Request
from authlib.oauth2.rfc6749 import InvalidGrantError, InvalidRequestError
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant, ClientCredentialsGrant, RefreshTokenGrant
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core.grants import OpenIDCode
from django.db import transaction
from django.utils import timezone
from joserfc.jwk import RSAKey

from pingone_integration.sandbox.memberships import memberships_of
from pingone_integration.sandbox.models import Application
from pingone_integration.sandbox.oauth.claims import user_claims
from pingone_integration.sandbox.oauth.clients import Client
from pingone_integration.sandbox.oauth.models import AuthorizationCode, Grant, RefreshToken
from pingone_integration.sandbox.oauth.signing import ALGORITHM, signing_key
from pingone_integration.sandbox.oauth.tokens import digest, find_refresh_token, issuer

AUTH_METHODS = ["client_secret_basic", "client_secret_post", "none"]
TokenResponse = tuple[int, dict[str, Any], list[tuple[str, str]]]


class CodeGrant(AuthorizationCodeGrant):
    """The grant type authorization_code. A code works once; a second use revokes its tokens."""

    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS

    @staticmethod
    def validate_authorization_redirect_uri(request: DjangoOAuth2Request, client: Client) -> str:
        """Validate as Authlib does, but keep the URI out of error messages: it may hold sensitive data."""
        redirect_uri: str | None = request.payload.redirect_uri
        if not redirect_uri or not client.check_redirect_uri(redirect_uri):
            raise InvalidRequestError("The redirect URI is not one of the application's.")
        return redirect_uri

    def validate_authorization_request(self) -> str:
        redirect_uri: str = super().validate_authorization_request()
        if self.request.payload.data.get("response_mode", "query") != "query":
            raise InvalidRequestError("Only the response mode query is supported.", redirect_uri=redirect_uri)
        return redirect_uri

    def save_authorization_code(self, code: str, request: DjangoOAuth2Request) -> None:
        session = request.user  # the sign-in session: see pages.py
        asked = request.payload.data
        grant = Grant.objects.create(
            application=request.client.application,
            user=session.user,
            session=session,
            scope=request.scope,
            signed_on_at=session.created_at,
        )
        AuthorizationCode.objects.create(
            digest=digest(code),
            grant=grant,
            redirect_uri=request.payload.redirect_uri,
            code_challenge=asked.get("code_challenge", ""),
            code_challenge_method=asked.get("code_challenge_method", ""),
            nonce=asked.get("nonce", ""),
            expires_at=timezone.now() + AuthorizationCode.LIFETIME,
        )

    def query_authorization_code(self, code: str, client: Client) -> AuthorizationCode | None:
        codes = AuthorizationCode.objects.select_related("grant__user", "grant__session", "grant__application")
        found = codes.filter(pk=digest(code), grant__application=client.application).first()
        if found is None:
            return None
        if found.used_at is not None:
            found.grant.revoke()
            return None
        return found if found.expires_at > timezone.now() else None

    def create_token_response(self) -> TokenResponse:
        code: AuthorizationCode = self.request.authorization_code
        with transaction.atomic():
            if code.claim():
                response: TokenResponse = super().create_token_response()
                return response
        code.grant.revoke()
        raise InvalidGrantError("The code has been used.")

    def authenticate_user(self, authorization_code: AuthorizationCode) -> Grant | None:
        return authorization_code.grant if authorization_code.grant.is_live else None

    def generate_token(self, *, scope: str, include_refresh_token: bool, **rest: Any) -> dict[str, Any]:
        """Add a refresh token for the grant type REFRESH_TOKEN, and also for the scope offline_access."""
        wanted = "REFRESH_TOKEN" in self.client.application.grant_types or "offline_access" in scope.split()
        token: dict[str, Any] = super().generate_token(scope=scope, include_refresh_token=wanted, **rest)
        return token

    def delete_authorization_code(self, authorization_code: AuthorizationCode) -> None:
        """Keep the code, marked as used, to detect a replay."""


class RefreshGrant(RefreshTokenGrant):
    """The grant type refresh_token, with refresh token rotation. Reuse may revoke the whole chain."""

    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS
    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, refresh_token: str) -> RefreshToken | None:
        found = find_refresh_token(refresh_token)
        return found if found and not found.is_expired() and found.grant.is_live else None

    def create_token_response(self) -> TokenResponse:
        token: RefreshToken = self.request.refresh_token
        application: Application = self.request.client.application
        grace = timedelta(seconds=application.refresh_token_rolling_grace_period_duration)
        with transaction.atomic():
            if token.exchange(grace):
                response: TokenResponse = super().create_token_response()
                return response
        if application.additional_refresh_token_replay_protection_enabled:
            token.grant.revoke()
        raise InvalidGrantError("The refresh token has been exchanged.")

    def authenticate_user(self, refresh_token: RefreshToken) -> Grant:
        """Return the grant. Updates the session's `activeAt` but does not extend the session."""
        grant = refresh_token.grant
        if grant.session is not None:
            grant.session.active_at = timezone.now()
            grant.session.save(update_fields=["active_at"])
        return grant

    def revoke_old_credential(self, refresh_token: RefreshToken) -> None:
        """Do nothing: exchange() marked the token. Only one of simultaneous requests gets here."""


class WorkerGrant(ClientCredentialsGrant):
    """The grant type client_credentials: the application acts for itself."""

    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS[:2]


class PkceBySetting(CodeChallenge):
    """PKCE as the application's `pkceEnforcement` requires it."""

    def __init__(self) -> None:
        super().__init__(required=False)

    def validate_code_challenge(self, grant: CodeGrant, redirect_uri: str) -> None:
        super().validate_code_challenge(grant, redirect_uri)
        enforcement = grant.client.application.pkce_enforcement
        asked = grant.request.payload.data
        if enforcement != Application.Pkce.OPTIONAL and not asked.get("code_challenge"):
            raise InvalidRequestError("The application requires PKCE: code_challenge is missing.")
        if enforcement == Application.Pkce.S256_REQUIRED and asked.get("code_challenge_method") != "S256":
            raise InvalidRequestError("The application requires PKCE with code_challenge_method=S256.")

    def get_authorization_code_challenge_method(self, authorization_code: AuthorizationCode) -> str | None:
        return authorization_code.code_challenge_method or None


class IdToken(OpenIDCode):
    """The ID token for the scope openid, with codes and with refresh tokens."""

    def __init__(self, base_url: str) -> None:
        super().__init__()
        self.base_url = base_url

    def exists_nonce(self, nonce: str, request: DjangoOAuth2Request) -> bool:
        """Return False: in PingOne, the client must reject a repeated nonce."""
        return False

    def resolve_client_private_key(self, client: Client) -> RSAKey:
        return signing_key(client.application.environment)

    def get_encode_header(self, client: Client) -> dict[str, Any]:
        return {"alg": ALGORITHM, "kid": self.resolve_client_private_key(client).kid}

    def get_client_claims(self, client: Client) -> dict[str, Any]:
        return {"iss": issuer(self.base_url, client.application.environment), "aud": client.client_id}

    def get_authorization_code_claims(self, authorization_code: AuthorizationCode) -> dict[str, Any]:
        return {"nonce": authorization_code.nonce} if authorization_code.nonce else {}

    def generate_user_info(self, user: Grant, scope: str) -> dict[str, Any]:
        """Return the claims. A web application has `groups`, as an attribute mapping to memberOfGroupNames gives."""
        groups = {"groups": [one.group.name for one in memberships_of(user.user)]}
        return {
            **user_claims(user.user, scope),
            **(groups if user.application.type == "WEB_APP" else {}),
            "auth_time": int(user.signed_on_at.timestamp()),
            "acr": "Single_Factor",
            "amr": ["pwd"],
            "sid": str(user.session_id),
        }
