"""The endpoints for programs. The pages for people are in pages.py."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from uuid import UUID, uuid4

from authlib.integrations.django_oauth2 import ResourceProtector
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6750 import BearerTokenValidator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from pingone_integration.sandbox.models import Environment
from pingone_integration.sandbox.oauth.claims import user_claims
from pingone_integration.sandbox.oauth.discovery import openid_metadata, server_metadata
from pingone_integration.sandbox.oauth.models import AccessToken
from pingone_integration.sandbox.oauth.server import EnvironmentServer, base_url_of
from pingone_integration.sandbox.oauth.signing import public_keys
from pingone_integration.sandbox.oauth.tokens import find_access_token

STYLESHEET = Path(__file__).parent / "pages.css"
# No form-action: browsers apply it to the redirect back to the application, too.
PAGE_POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'"
View = Callable[..., HttpResponse]


def environment_view(view: Callable[[HttpRequest, EnvironmentServer], HttpResponse]) -> View:
    """Pass the view the server of the environment in the path. If there is none, answer 404 as HTML or JSON."""

    @wraps(view)
    def entered(request: HttpRequest, environment_id: UUID) -> HttpResponse:
        environment = Environment.objects.filter(pk=environment_id).first()
        if environment is None:
            return _unknown_environment(request)
        return view(request, EnvironmentServer(environment, base_url_of(request)))

    return entered


def _unknown_environment(request: HttpRequest) -> HttpResponse:
    body = {"id": str(uuid4()), "code": "NOT_FOUND", "message": "The requested environment was not found."}
    if request.get_preferred_type(["application/json", "text/html"]) == "text/html":
        return page(request, "error.html", status=404, message=body["message"], error_id=body["id"])
    return JsonResponse(body, status=404)


def page(request: HttpRequest, template: str, *, status: int = 200, **context: object) -> HttpResponse:
    """Render a page for people, without caching, framing or scripts."""
    response = render(request, f"oauth/{template}", context, status=status)
    response["Cache-Control"] = "no-store"
    response["Content-Security-Policy"] = PAGE_POLICY
    response["X-Frame-Options"] = "DENY"
    response["X-Content-Type-Options"] = "nosniff"
    response["Referrer-Policy"] = "same-origin"
    return response


@require_safe
@environment_view
def openid_configuration(request: HttpRequest, server: EnvironmentServer) -> HttpResponse:
    return JsonResponse(openid_metadata(server.base_url, server.environment))


@require_safe
@environment_view
def oauth_authorization_server(request: HttpRequest, server: EnvironmentServer) -> HttpResponse:
    return JsonResponse(server_metadata(server.base_url, server.environment))


@require_safe
@environment_view
def jwks(request: HttpRequest, server: EnvironmentServer) -> HttpResponse:
    return JsonResponse(public_keys(server.environment))


@csrf_exempt
@require_POST
@environment_view
def token(request: HttpRequest, server: EnvironmentServer) -> HttpResponse:
    return server.create_token_response(request)


@csrf_exempt
@require_POST
@environment_view
def revoke(request: HttpRequest, server: EnvironmentServer) -> HttpResponse:
    return server.create_form_response("revocation", request)


@csrf_exempt
@require_POST
@environment_view
def introspect(request: HttpRequest, server: EnvironmentServer) -> HttpResponse:
    return server.create_form_response("introspection", request)


@csrf_exempt
@require_http_methods(["GET", "POST"])
@environment_view
def userinfo(request: HttpRequest, server: EnvironmentServer) -> HttpResponse:
    protector = ResourceProtector()
    protector.register_token_validator(UserTokens(server.environment))
    try:
        presented: AccessToken = protector.acquire_token(request, "openid")
    except OAuth2Error as error:
        return server.handle_error_response(request, error)
    return JsonResponse(user_claims(presented.grant.user, presented.scope) if presented.grant else {})


@require_safe
@cache_control(max_age=3600)
def stylesheet(request: HttpRequest) -> HttpResponse:
    return HttpResponse(STYLESHEET.read_bytes(), content_type="text/css; charset=utf-8")


class UserTokens(BearerTokenValidator):
    """A validator that accepts only the environment's own access tokens."""

    def __init__(self, environment: Environment) -> None:
        super().__init__()
        self.environment = environment

    def authenticate_token(self, token_string: str) -> AccessToken | None:
        found = find_access_token(token_string)
        return found if found and found.application.environment == self.environment else None
