"""The reasons why PingOne refuses an application that connects, told apart as far as its answers allow.

All are AuthenticationErrors, because the remedy is a setting of the application.
"""

import base64
import binascii
import json
import secrets
from typing import Any

from django.utils.translation import gettext_lazy as _

from pingone_integration.connection.oauth import Grant, OAuthClient
from pingone_integration.errors import AuthenticationError, PingOneError, TokenRefreshFailure
from pingone_integration.models import Connection
from pingone_integration.values import json_object

_OTHER_METHOD = {
    Connection.ClientAuthentication.BASIC.value: Connection.ClientAuthentication.POST.value,
    Connection.ClientAuthentication.POST.value: Connection.ClientAuthentication.BASIC.value,
}


class WrongClientSecret(AuthenticationError):
    """PingOne accepts the secret by neither method."""

    kind = "wrong-client-secret"
    title = _("The Client secret is wrong")
    cause = _(
        "PingOne does not accept it for this Client ID, or the application's Token Auth Method is neither Client "
        "Secret Basic nor Client Secret Post."
    )
    resolution = _("Copy the Client secret from the PingOne application again, then connect again.")


class WrongAuthenticationMethod(AuthenticationError):
    """PingOne accepts the secret, but only by the other method."""

    kind = "wrong-authentication-method"
    title = _("The client authentication method is wrong")
    cause = _("The Client secret is right, but the PingOne application has another Token Auth Method.")
    resolution = _("Choose the other client authentication method here, then connect again.")


class CodeRefused(AuthenticationError):
    """PingOne authenticates the application, and refuses the authorization code (invalid_grant)."""

    kind = "code-refused"
    title = _("PingOne does not accept the approval")
    cause = _("The code that came back with it has expired, was used already, or is not from this sign-in.")
    resolution = _("Nothing was changed. Connect again, and approve without going back in the browser.")


class GrantTypeOff(AuthenticationError):
    """PingOne knows the application, but it may not exchange codes (unauthorized_client)."""

    kind = "grant-type-off"
    title = _("The PingOne application does not allow this")
    cause = _("Its Authorization Code grant is off.")
    resolution = _("Turn on the grants Authorization Code and Refresh Token in the application, then connect again.")


class NotAWorker(AuthenticationError):
    """The access token is not for the management API, and opens nothing there."""

    kind = "not-a-worker"
    title = _("The PingOne application is not a Worker")
    cause = _(
        "Its access token is not valid for PingOne's API, as with the type OIDC Web App. Roles do not change that."
    )
    resolution = _("Add an application of the type Worker in PingOne, enter its Client ID and secret, then connect.")


def told_apart(
    client: OAuthClient, error: AuthenticationError | TokenRefreshFailure, *, redirect_uri: str
) -> AuthenticationError:
    """Return the reason for which PingOne refused to exchange a code.

    PingOne answers invalid_client for a wrong secret and for a wrong method. So it is asked once more, by the other
    method and with an invented code: if only the code is refused, the secret is right.
    """
    more: dict[str, Any] = {"trace": error.trace}
    if isinstance(error, TokenRefreshFailure):  # invalid_grant: here, PingOne refuses the code
        return CodeRefused(str(error), **more)
    if error.trace.code in {"unauthorized_client", "unsupported_grant_type"}:
        return GrantTypeOff(str(error), **more)
    unknown = AuthenticationError(str(error), **more)
    if error.trace.code != "invalid_client":
        return unknown
    other = client.with_method(_OTHER_METHOD[client.method])
    try:
        other.exchange_code(invented_code(), redirect_uri=redirect_uri, code_verifier=secrets.token_urlsafe(48))
    except (TokenRefreshFailure, AuthenticationError) as answer:
        known = answer.trace.code != "invalid_client"
        return WrongAuthenticationMethod(str(error), **more) if known else WrongClientSecret(str(error), **more)
    except PingOneError:
        pass  # there is no second answer to compare with
    return unknown


def invented_code() -> str:
    """Return a code that PingOne never issued, to test the authentication alone."""
    return f"check-{secrets.token_hex(16)}"


def is_for_api(grant: Grant, api_url: str) -> bool:
    """Return whether the access token may be for the management API: only a readable token shows that it is not.

    Source: PingOne API reference, Access tokens and ID tokens > Token claims (read 2026-11): `aud` names the API, and
    `env` is present only then. A single audience may be a string.
    """
    claims = _claims(grant.access_token)
    audience = claims.get("aud")
    if not audience or "env" in claims:
        return True
    return api_url in (audience if isinstance(audience, list) else [audience])


def _claims(token: str) -> dict[str, Any]:
    """Return the claims of a token that PingOne just issued, unverified, or {} if it is not readable."""
    try:
        return json_object(json.loads(base64.urlsafe_b64decode(f"{token.split('.')[1]}===")))
    except (IndexError, binascii.Error, ValueError, RecursionError):
        return {}
