"""The endpoints registered with Authlib besides the grants: revocation, introspection, sign-off."""

from typing import Any

from authlib.integrations.django_oauth2.requests import DjangoOAuth2Request
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from authlib.oidc.rpinitiated import EndSessionEndpoint
from authlib.oidc.rpinitiated.end_session import EndSessionRequest
from django.utils import timezone
from joserfc.jwk import KeySet

from pingone_integration.sandbox.models import Session
from pingone_integration.sandbox.oauth.clients import Client
from pingone_integration.sandbox.oauth.grants import AUTH_METHODS
from pingone_integration.sandbox.oauth.models import AccessToken, RefreshToken
from pingone_integration.sandbox.oauth.signing import ALGORITHM, signing_key
from pingone_integration.sandbox.oauth.tokens import access_token_claims, find_access_token, find_refresh_token

AnyToken = AccessToken | RefreshToken


def find_token(value: str) -> AnyToken | None:
    """Return an access or refresh token, or None. The type hint is not needed: no value is both."""
    return find_access_token(value) or find_refresh_token(value)


class Revocation(RevocationEndpoint):
    """Revocation of an access token, or of a refresh token's whole chain with its access tokens."""

    CLIENT_AUTH_METHODS = AUTH_METHODS

    def query_token(self, token_string: str, token_type_hint: str | None) -> AnyToken | None:
        return find_token(token_string)

    def revoke_token(self, token: AnyToken, request: DjangoOAuth2Request) -> None:
        if isinstance(token, RefreshToken):
            token.grant.revoke()
        else:
            AccessToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now())


class Introspection(IntrospectionEndpoint):
    """Introspection by an application of its own tokens."""

    CLIENT_AUTH_METHODS = AUTH_METHODS

    def query_token(self, token_string: str, token_type_hint: str | None) -> AnyToken | None:
        return find_token(token_string)

    def check_permission(self, token: AnyToken, client: Client, request: DjangoOAuth2Request) -> bool:
        return token.check_client(client)

    def introspect_token(self, token: AnyToken) -> dict[str, Any]:
        if isinstance(token, AccessToken):
            return {"token_type": "Bearer", **access_token_claims(token, self.server.base_url)}
        return {
            "token_type": "refresh_token",
            "client_id": token.grant.application.client_id,
            "scope": token.grant.scope,
            "sub": str(token.grant.user_id),
            "exp": int(token.expires_at.timestamp()),
        }


class SignOff(EndSessionEndpoint):
    """Sign-off, which ends the browser's session. The ID token only names the application to return to."""

    def __init__(self, session: Session | None) -> None:
        super().__init__()
        self.session = session

    def get_server_jwks(self) -> KeySet:
        return KeySet([signing_key(self.server.environment)])

    def get_algorithms(self) -> list[str]:
        return [ALGORITHM]

    def end_session(self, end_session_request: EndSessionRequest) -> None:
        if self.session is not None:
            self.session.delete()
