"""The server metadata for discovery.

The lists are PingOne's, even where the sandbox supports less. It supports the code flow in query mode, refresh tokens
and client credentials. It answers the rest as PingOne does for an application without them.
Source: PingOne API reference, OpenID Connect/OAuth 2 > Discovery (read 2026-11).
"""

from typing import Any

from pingone_integration.sandbox.models import Environment
from pingone_integration.sandbox.oauth.grants import AUTH_METHODS
from pingone_integration.sandbox.oauth.signing import ALGORITHM
from pingone_integration.sandbox.oauth.tokens import issuer


def server_metadata(base_url: str, environment: Environment) -> dict[str, Any]:
    """Return the metadata of RFC 8414."""
    here = issuer(base_url, environment)
    return {
        "issuer": here,
        "authorization_endpoint": f"{here}/authorize",
        "pushed_authorization_request_endpoint": f"{here}/par",
        "token_endpoint": f"{here}/token",
        "jwks_uri": f"{here}/jwks",
        "introspection_endpoint": f"{here}/introspect",
        "revocation_endpoint": f"{here}/revoke",
        "device_authorization_endpoint": f"{here}/device_authorization",
        "require_pushed_authorization_requests": False,
        "scopes_supported": ["openid", "profile", "email", "address", "phone"],
        "response_types_supported": [
            "code",
            "id_token",
            "token id_token",
            "code id_token",
            "code token",
            "code token id_token",
        ],
        "response_modes_supported": ["pi.flow", "query", "fragment", "form_post"],
        "grant_types_supported": [
            "authorization_code",
            "implicit",
            "client_credentials",
            "refresh_token",
            "urn:ietf:params:oauth:grant-type:device_code",
        ],
        "token_endpoint_auth_methods_supported": AUTH_METHODS,
        "introspection_endpoint_auth_methods_supported": AUTH_METHODS,
        "revocation_endpoint_auth_methods_supported": AUTH_METHODS,
        "code_challenge_methods_supported": ["plain", "S256"],
    }


def openid_metadata(base_url: str, environment: Environment) -> dict[str, Any]:
    """Return the metadata of OpenID Connect Discovery: RFC 8414 plus ID tokens."""
    here = issuer(base_url, environment)
    return {
        **server_metadata(base_url, environment),
        "userinfo_endpoint": f"{here}/userinfo",
        "end_session_endpoint": f"{here}/signoff",
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [ALGORITHM],
        "userinfo_signing_alg_values_supported": ["none"],
        "request_object_signing_alg_values_supported": ["none"],
        "claim_types_supported": ["normal"],
        "claims_parameter_supported": False,
        "request_parameter_supported": True,
        "request_uri_parameter_supported": False,
        "claims_supported": [
            "sub", "iss", "aud", "auth_time", "acr", "amr", "sid", "name", "given_name", "middle_name", "family_name",
            "nickname", "preferred_username", "picture", "zoneinfo", "locale", "updated_at", "email",
            "email_verified", "phone_number", "address",
        ],
    }  # fmt: skip
