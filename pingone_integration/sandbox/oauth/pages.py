"""The pages on the way to an application (sign-in and consent), and sign-off.

The parameters of the authorization request stay in the URL of every page, and every page validates them again. So
the request is not stored before the user consents.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from uuid import uuid4

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import AccessDeniedError
from authlib.oidc.core.errors import ConsentRequiredError, LoginRequiredError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from pingone_integration.sandbox.models import Application, Session
from pingone_integration.sandbox.oauth.admission import has_allowed, is_admitted
from pingone_integration.sandbox.oauth.endpoints import SignOff
from pingone_integration.sandbox.oauth.grants import CodeGrant
from pingone_integration.sandbox.oauth.server import EnvironmentServer
from pingone_integration.sandbox.oauth.sign_on import (
    Refused,
    browser_session,
    check_credentials,
    forget,
    remember,
    start_session,
)
from pingone_integration.sandbox.oauth.views import environment_view, page

SCOPE_TEXTS = {
    "openid": "Know who you are",
    "profile": "Read your profile: name, nickname, language",
    "email": "Read your email address",
    "address": "Read your postal address",
    "phone": "Read your phone number",
    "offline_access": "Stay connected while you are away",
}


@dataclass(frozen=True, kw_only=True)
class Flow:
    """A valid authorization request on its way through the pages."""

    request: HttpRequest
    server: EnvironmentServer
    grant: CodeGrant
    session: Session | None

    @property
    def application(self) -> Application:
        application: Application = self.grant.client.application
        return application

    @property
    def scope(self) -> str:
        return str(self.grant.request.scope or "")

    @property
    def prompts(self) -> set[str]:
        return set(self.request.GET.get("prompt", "").split())

    @property
    def must_sign_on(self) -> bool:
        if self.session is None or self.prompts & {"login", "select_account"}:
            return True
        max_age = self.request.GET.get("max_age", "")
        if not re.fullmatch("[0-9]{1,9}", max_age):
            return False
        return timezone.now() - self.session.created_at > timedelta(seconds=int(max_age))

    def to(self, step: str, query: QueryDict | None = None) -> str:
        """Return the URL of another page of this flow."""
        address = reverse(f"oauth:{step}", args=[self.server.environment.id])
        return f"{address}?{(query or self.request.GET).urlencode()}"

    def answer(self, session: Session | None) -> HttpResponse:
        """Return to the application with a code, or with access_denied if `session` is None."""
        response: HttpResponse = self.server.create_authorization_response(
            self.grant.request, session, grant=self.grant
        )
        return response

    def refuse(self, error: OAuth2Error) -> HttpResponse:
        error.redirect_uri, error.state = self.grant.redirect_uri, self.request.GET.get("state")
        return self.server.handle_error_response(self.request, error)


def flow_view(view: Callable[[Flow], HttpResponse]) -> Callable[..., HttpResponse]:
    """Pass the view a valid authorization request. Answer an invalid request as OAuth requires.

    An error goes back to the application only if the client id and the redirect URI are known to match.
    """

    @wraps(view)
    @environment_view
    def entered(request: HttpRequest, server: EnvironmentServer) -> HttpResponse:
        session = browser_session(request, server.environment)
        try:
            grant = server.get_consent_grant(request, session)
        except OAuth2Error as error:
            if error.redirect_uri:
                return server.handle_error_response(request, error)
            return page(request, "error.html", status=400, message=error.description, error_id=uuid4())
        return view(Flow(request=request, server=server, grant=grant, session=session))

    return entered


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def authorize(request: HttpRequest, **path: object) -> HttpResponse:
    """Start the flow. A posted form is redirected to the same parameters in the URL."""
    if request.method == "POST":
        return HttpResponseRedirect(f"{request.path}?{request.POST.urlencode()}")
    return _authorize(request, **path)


@flow_view
def _authorize(flow: Flow) -> HttpResponse:
    silent = "none" in flow.prompts
    if flow.session is None or flow.must_sign_on:
        return flow.refuse(LoginRequiredError()) if silent else HttpResponseRedirect(flow.to("sign-on"))
    admitted = is_admitted(flow.session.user, flow.application)
    if silent and not admitted:
        return flow.refuse(AccessDeniedError())
    if admitted and "consent" not in flow.prompts and has_allowed(flow.session, flow.application, flow.scope):
        return flow.answer(flow.session)
    return flow.refuse(ConsentRequiredError()) if silent else HttpResponseRedirect(flow.to("consent"))


@require_http_methods(["GET", "HEAD", "POST"])
@flow_view
def sign_on(flow: Flow) -> HttpResponse:
    """Ask for username and password."""
    request = flow.request
    if request.method != "POST":
        return _sign_on_page(flow, username=request.GET.get("login_hint", ""))
    if request.POST.get("action") == "cancel":
        return flow.answer(None)
    username = request.POST.get("username", "")
    try:
        user = check_credentials(flow.server.environment, username, request.POST.get("password", ""))
    except Refused as refusal:
        return _sign_on_page(flow, username=username, error=str(refusal))
    session = start_session(user, request)
    response = HttpResponseRedirect(flow.to("authorize", _without_sign_on(request.GET)))
    remember(response, session, flow.server.environment, secure=request.is_secure())
    return response


def _sign_on_page(flow: Flow, *, username: str, error: str = "") -> HttpResponse:
    return page(flow.request, "sign_on.html", application=flow.application, username=username, error=error)


def _without_sign_on(query: QueryDict) -> QueryDict:
    """Return the query without the parameters that ask for a new sign-in."""
    met = query.copy()
    met.pop("max_age", None)
    prompts = [prompt for prompt in query.get("prompt", "").split() if prompt not in {"login", "select_account"}]
    met.pop("prompt", None)
    if prompts:
        met["prompt"] = " ".join(prompts)
    return met


@require_http_methods(["GET", "HEAD", "POST"])
@flow_view
def consent(flow: Flow) -> HttpResponse:
    """Ask for consent to the scopes, or refuse a user whom the application does not admit."""
    request, session = flow.request, flow.session
    if request.method == "POST" and request.POST.get("action") == "cancel":
        return flow.answer(None)
    if session is None or flow.must_sign_on:
        return HttpResponseRedirect(flow.to("sign-on"))
    if not is_admitted(session.user, flow.application):
        return page(
            request,
            "not_admitted.html",
            status=403,
            application=flow.application,
            user=session.user,
            sign_on_url=flow.to("sign-on"),
        )
    if request.method == "POST":
        return flow.answer(session)
    return page(
        request,
        "consent.html",
        application=flow.application,
        user=session.user,
        scopes=[(scope, SCOPE_TEXTS.get(scope, "")) for scope in flow.scope.split()],
        sign_on_url=flow.to("sign-on"),
    )


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@environment_view
def sign_off(request: HttpRequest, server: EnvironmentServer) -> HttpResponse:
    """End this browser's session, and with it the session's refresh tokens."""
    server.register_endpoint(SignOff(browser_session(request, server.environment)))
    try:
        validated = server.validate_endpoint_request("end_session", request)
    except OAuth2Error as error:
        return page(request, "error.html", status=400, message=error.description, error_id=uuid4())
    response = server.create_endpoint_response("end_session", validated) or page(request, "signed_off.html")
    forget(response, server.environment)
    return response
