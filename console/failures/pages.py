"""Failures as pages and notices: PingOne's errors, and Django's own handlers."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar

from allauth.account.utils import get_next_redirect_url
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.access import OF_ALL_POPULATIONS, PERMISSION_LABELS, OrgAccess, Permission
from console.actions.action import Action
from console.failures.failure import Failure, report
from console.fragments import wants_fragment
from console.models import Membership
from console.rights.roles import built_in
from console.user_mails.languages import RECOVERY
from pingone_integration.errors import PingOneError
from pingone_integration.texts import Text

_SIGN_IN = {"account_login", "mfa_login_webauthn", "mfa_authenticate"}  # names of the URLs

View = TypeVar("View", bound=Callable[..., Any])


def fails_in_place(view: View) -> View:
    """Mark the view of a panel: if PingOne fails, the reason and "Try again" replace the panel."""
    view.fails_in_place = True  # type: ignore[attr-defined]
    return view


def pingone_failed(request: HttpRequest, error: PingOneError) -> HttpResponse:
    view = request.resolver_match.func if request.resolver_match else None
    return _tell(request, report(request, error), in_place=getattr(view, "fails_in_place", False))


def failed_in_place(request: HttpRequest, error: PingOneError, **context: object) -> HttpResponse:
    """Show the failure in place of the fragment, with further context for the notice."""
    return _tell(request, report(request, error), in_place=True, **context)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler403: tell a member which permission is missing and which roles have it."""
    access: OrgAccess | None = getattr(request, "access", None)
    missing = exception.args[0] if isinstance(exception, PermissionDenied) and exception.args else None
    cause: Text = _("You do not have permission to do this.")
    if access and access.is_narrowed and isinstance(missing, Permission) and missing in OF_ALL_POPULATIONS:
        cause = format_lazy(
            _(
                "You see the users of some populations only in {organization}. "
                "Permission to {permission} is for members who see all populations."
            ),
            permission=PERMISSION_LABELS[missing],
            organization=access.org.name,
        )
    elif access and isinstance(missing, Permission):
        roles = [
            str(role.label)
            for role in Membership.Role
            if missing in built_in(role, access.org.role_overrides).permissions
        ]
        cause = format_lazy(
            _(
                "You need permission to {permission}. Your role in {organization} ({role}) does not include it. "
                "Roles that do: {roles}."
            ),
            permission=PERMISSION_LABELS[missing],
            organization=access.org.name,
            role=access.role_name,
            roles=", ".join(roles),
        )
    elif access and isinstance(missing, Action):
        cause = format_lazy(
            _("Your role in {organization} ({role}) does not include: {action}."),
            organization=access.org.name,
            role=access.role_name,
            action=missing.name,
        )
    return _tell(
        request, Failure(status=HTTPStatus.FORBIDDEN, title=_("Not allowed"), cause=cause, ask_an_admin=bool(access))
    )


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler404. Strangers see it too, so it must not reveal what exists."""
    return _tell(
        request,
        Failure(
            status=HTTPStatus.NOT_FOUND,
            title=_("Page not found"),
            cause=_("The address is wrong, the item was deleted, or you do not have access."),
        ),
    )


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler400."""
    return _tell(
        request,
        Failure(
            status=HTTPStatus.BAD_REQUEST,
            title=_("This request could not be read"),
            cause=_("Your browser sent something that the console cannot read."),
            resolution=_("Go back, reload the page, and try again."),
        ),
    )


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """CSRF_FAILURE_VIEW. A sign-in form that is older than the sign-in in another tab leads on to its page."""
    if request.user.is_authenticated and request.resolver_match and request.resolver_match.url_name in _SIGN_IN:
        return redirect(get_next_redirect_url(request) or settings.LOGIN_REDIRECT_URL)
    return _tell(
        request,
        Failure(
            status=HTTPStatus.FORBIDDEN,
            title=_("This page is out of date"),
            cause=_(
                "You signed in or out after it was loaded, or your browser does not accept cookies from this site. "
                "Nothing was changed."
            ),
            resolution=_("Reload the page, then try again."),
        ),
    )


def viewing_as(request: HttpRequest) -> HttpResponse:
    """Refuse what is no reading while an operator views an organization as a member."""
    return _tell(
        request,
        Failure(
            status=HTTPStatus.FORBIDDEN,
            title=_("You are viewing as another member"),
            cause=_("Nothing can be changed meanwhile, and pages of your account are closed. Nothing was changed."),
            resolution=_("Stop viewing, then try again."),
        ),
    )


def method_not_allowed(request: HttpRequest, refused: HttpResponseNotAllowed) -> HttpResponse:
    told = _tell(
        request,
        Failure(
            status=HTTPStatus.METHOD_NOT_ALLOWED,
            title=_("This page cannot be opened directly"),
            cause=_("Only a button in the console leads here."),
            resolution=_("Go back, and use the button on the page you came from."),
        ),
    )
    told["Allow"] = refused["Allow"]
    return told


def server_error(request: HttpRequest) -> HttpResponse:
    """handler500: a bug in the console. Rendered without database, session or context, which may be broken."""
    if wants_fragment(request):
        told = HttpResponse(render_to_string("console/failures/500_notice.html"), status=500)
        return _as_notice(told)
    return HttpResponse(render_to_string("500.html"), status=500)


def _tell(request: HttpRequest, failure: Failure, *, in_place: bool = False, **more: object) -> HttpResponse:
    fragment = wants_fragment(request)
    template = "console/failures/failure.html#notice" if fragment else "console/failures/failure.html"
    if request.path.startswith(RECOVERY):  # in the language of whoever recovers
        template = "console/failures/for_users.html"
    try_again = request.get_full_path() if request.method == "GET" else ""
    context = {"failure": failure, "try_again": try_again, "in_place": in_place} | more
    response = render(request, template, context, status=failure.status)
    if failure.retry_after_s is not None:
        response["Retry-After"] = str(failure.retry_after_s)
    return _as_notice(response) if fragment and not in_place else response


def _as_notice(response: HttpResponse) -> HttpResponse:
    """Show the response above the page: the target of the swap, the address and the selection all stay."""
    response["HX-Retarget"] = "#notices"
    response["HX-Reswap"] = "innerHTML"
    response["HX-Reselect"] = ".alert"
    response["HX-Push-Url"] = "false"
    return response
