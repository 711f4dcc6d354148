"""The authorization server of one environment, built from Authlib's parts."""

from typing import Any, cast
from uuid import UUID, uuid4

from authlib.integrations.django_oauth2 import AuthorizationServer
from authlib.integrations.django_oauth2.requests import DjangoOAuth2Request
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import (
    InvalidClientError,
    InvalidRequestError,
    UnsupportedGrantTypeError,
    UnsupportedResponseTypeError,
)
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from pingone_integration.sandbox.models import Application, Environment
from pingone_integration.sandbox.oauth.clients import Client
from pingone_integration.sandbox.oauth.endpoints import Introspection, Revocation
from pingone_integration.sandbox.oauth.grants import (
    CodeGrant,
    IdToken,
    PkceBySetting,
    RefreshGrant,
    WorkerGrant,
)
from pingone_integration.sandbox.oauth.models import AccessToken, Grant
from pingone_integration.sandbox.oauth.tokens import issue_access_token, issue_refresh_token


def base_url_of(request: HttpRequest) -> str:
    """Return the sandbox's base URL, with which every URL in tokens and discovery begins."""
    return settings.SANDBOX_URL or request.build_absolute_uri("/").rstrip("/")


class EnvironmentServer(AuthorizationServer):
    """Authlib's server for one environment and base URL. Each request creates one in microseconds."""

    def __init__(self, environment: Environment, base_url: str) -> None:
        self.environment = environment
        self.base_url = base_url
        super().__init__(client_model=Application, token_model=AccessToken)
        id_token = IdToken(base_url)
        self.register_grant(CodeGrant, [PkceBySetting(), id_token])
        self.register_grant(RefreshGrant, [id_token])
        self.register_grant(WorkerGrant)
        self.register_endpoint(Revocation)
        self.register_endpoint(Introspection)

    def query_client(self, client_id: str) -> Client | None:
        try:
            key = UUID(client_id)
        except ValueError:
            return None
        applications = Application.objects.select_related("environment")
        found = applications.filter(pk=key, environment=self.environment, enabled=True).first()
        return Client(found) if found else None

    def create_bearer_token_generator(self) -> BearerTokenGenerator:
        return BearerTokenGenerator(self._access_token, self._refresh_token, self._expires_in)

    def _access_token(self, *, client: Client, user: Grant | None, scope: str, **_: Any) -> str:
        return issue_access_token(client.application, user, scope, base_url=self.base_url)

    def _refresh_token(self, *, user: Grant, **_: Any) -> str:
        return issue_refresh_token(user, base_url=self.base_url)

    def _expires_in(self, client: Client, grant_type: str) -> int:
        return client.application.access_token_duration

    def save_token(self, token: dict[str, Any], request: Any) -> None:
        """Do nothing: the generators above have stored the tokens."""

    def authenticate_client(self, request: Any, methods: list[str], endpoint: str = "token") -> Client:
        """Authenticate the application by the one method in its settings. Failures are 401; two methods are 400."""
        if "Authorization" in request.headers and "client_secret" in request.form:
            raise InvalidRequestError("More than one client authentication method was used.")
        try:
            client: Client = super().authenticate_client(request, methods, endpoint)
        except (InvalidClientError, ValueError) as error:
            raise InvalidClientError("Client authentication failed.", status_code=401) from error
        return client

    def get_authorization_grant(self, request: DjangoOAuth2Request) -> CodeGrant:
        """Return the code flow's grant. Other response types get the errors of an application without them."""
        response_type = request.payload.response_type
        if response_type == "code":
            return cast("CodeGrant", super().get_authorization_grant(request))
        client = self.query_client(request.payload.client_id or "")
        if client is None:
            raise InvalidClientError("The application is not known.")
        redirect_uri = CodeGrant.validate_authorization_redirect_uri(request, client)
        if not response_type:
            raise InvalidRequestError("The response_type is missing.", redirect_uri=redirect_uri)
        raise UnsupportedResponseTypeError(
            response_type, "The response type is not supported.", redirect_uri=redirect_uri
        )

    def create_token_response(self, request: HttpRequest) -> HttpResponse:
        problem = _malformed(request)
        if problem is None and not request.POST.get("grant_type"):
            problem = InvalidRequestError("The grant_type is missing.")
        if problem:
            return self.handle_error_response(request, problem)
        return cast("HttpResponse", super().create_token_response(request))

    def create_form_response(self, name: str, request: HttpRequest) -> HttpResponse:
        """Answer at a registered endpoint that reads a form, such as revocation or introspection."""
        if problem := _malformed(request):
            return self.handle_error_response(request, problem)
        return cast("HttpResponse", self.create_endpoint_response(name, request))

    def handle_error_response(self, request: Any, error: OAuth2Error) -> HttpResponse:
        """End every error description with a correlation ID, as PingOne does."""
        if isinstance(error, UnsupportedGrantTypeError):
            error.description = "Unsupported grant type"
        description = error.description or "The request cannot be completed"
        correlation_id = uuid4()
        error.description = f"{description} (Correlation ID: {correlation_id})"
        response: HttpResponse = super().handle_error_response(request, error)
        response["Correlation-Id"] = str(correlation_id)
        return response


def _malformed(request: HttpRequest) -> OAuth2Error | None:
    """Return the error of query parameters, repeated parameters or no form, which no grant checks, or None."""
    if request.GET:
        return InvalidRequestError("Parameters belong in the form, not in the URL.")
    if not request.POST:
        return InvalidRequestError("A form with parameters is expected.")
    if any(len(values) > 1 for _, values in request.POST.lists()):
        return InvalidRequestError("A parameter is given more than once.")
    return None
