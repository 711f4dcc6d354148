"""An application as an OAuth client of Authlib's server."""

from dataclasses import dataclass
from secrets import compare_digest
from typing import Any

from pingone_integration.sandbox.models import Application


@dataclass(frozen=True)
class Client:
    """Authlib's client interface, answered from the application's settings."""

    application: Application

    @property
    def client_id(self) -> str:
        return self.application.client_id

    @property
    def client_metadata(self) -> dict[str, Any]:
        return {"post_logout_redirect_uris": self.application.post_logout_redirect_uris}

    def get_client_id(self) -> str:
        return self.client_id

    def get_default_redirect_uri(self) -> str | None:
        """Return None: PingOne requires the redirect URI in each request."""
        return None

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """Return the requested scope, or None if any part is not granted. Authlib then answers invalid_scope."""
        requested = (scope or "").split()
        return " ".join(dict.fromkeys(requested)) if set(requested) <= set(self.application.scopes) else None

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri in self.application.redirect_uris

    def check_client_secret(self, client_secret: str) -> bool:
        return compare_digest(self.application.client_secret.encode(), client_secret.encode())

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """Accept the application's one method, at every endpoint."""
        return method == self.application.token_endpoint_auth_method.lower()

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code" and self.check_grant_type("authorization_code")

    def check_grant_type(self, grant_type: str) -> bool:
        """Return whether the grant type is allowed. The scope offline_access implies refresh_token."""
        if grant_type == "refresh_token" and "offline_access" in self.application.scopes:
            return True
        return grant_type.upper() in self.application.grant_types
