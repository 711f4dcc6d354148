"""How a failure reaches a person: what happened, why, what to do next, and the ids that support asks for."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeVar

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html

from console.access import PERMISSION_LABELS, ROLE_PERMISSIONS, OrgAccess, Permission
from console.fragments import wants_fragment
from console.models import Membership
from pingone_integration import errors
from pingone_integration.errors import PingOneError

logger = logging.getLogger(__name__)

_STATUSES: dict[type[PingOneError], HTTPStatus] = {  # of a class and its subclasses
    errors.PingOneError: HTTPStatus.BAD_GATEWAY,
    errors.ConnectionFailure: HTTPStatus.GATEWAY_TIMEOUT,
    errors.NotConnected: HTTPStatus.CONFLICT,
    errors.SignOnUnverified: HTTPStatus.BAD_GATEWAY,
    errors.StateRejected: HTTPStatus.BAD_REQUEST,
    errors.InvalidApiUrl: HTTPStatus.CONFLICT,
    errors.MissingPermission: HTTPStatus.FORBIDDEN,
    errors.LicenseExceeded: HTTPStatus.FORBIDDEN,
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.Duplicate: HTTPStatus.CONFLICT,
    errors.InvalidValue: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.RefusedByState: HTTPStatus.CONFLICT,
    errors.ChangedMeanwhile: HTTPStatus.CONFLICT,
    errors.RateLimited: HTTPStatus.TOO_MANY_REQUESTS,
    errors.Busy: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.CallsPaused: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.SealBroken: HTTPStatus.SERVICE_UNAVAILABLE,
}
_MENDED_IN_CONNECTION_SETTINGS = (
    errors.ConnectionFailure,
    errors.NotConnected,
    errors.AuthenticationError,
    errors.TokenRefreshFailure,
    errors.TokenRejected,
    errors.SignOnUnverified,
    errors.StateRejected,
    errors.InvalidApiUrl,
    errors.MissingPermission,
    errors.Blocked,
    errors.SealBroken,
)


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A failure in words, ready for a page, a notice, or the place of the fragment that failed."""

    status: int
    title: str
    cause: str
    resolution: str = ""
    kind: str = ""
    details: tuple[str, ...] = ()  # what PingOne says of single values
    ids: tuple[tuple[str, str], ...] = ()  # name and value
    may_have_happened: bool = False  # PingOne's answer to a write was lost
    retry_after_s: int | None = None
    settings_url: str = ""  # for those who may change the connection, where that is the next step
    ask_an_admin: bool = False  # for everybody else
    explained_url: str = ""  # the row of its kind on the troubleshooting page


View = TypeVar("View", bound=Callable[..., Any])


def fails_in_place(view: View) -> View:
    """Mark the view of a panel: when PingOne fails, the reason and "Try again" stand where the panel would."""
    view.fails_in_place = True  # type: ignore[attr-defined]
    return view


def status_of(error: type[PingOneError]) -> HTTPStatus:
    return next(_STATUSES[parent] for parent in error.__mro__ if parent in _STATUSES)


def failure_of(error: PingOneError, access: OrgAccess | None) -> Failure:
    trace = error.trace
    mended_in_settings = isinstance(error, _MENDED_IN_CONNECTION_SETTINGS)
    may_mend = bool(access and access.allows(Permission.MANAGE_CONNECTION))
    ids = (
        ("PingOne error ID", trace.error_id),
        ("Correlation ID", trace.correlation_id),
        ("Transaction ID", trace.transaction_id),
    )
    return Failure(
        status=status_of(type(error)),
        kind=error.kind,
        title=error.title,
        cause=error.cause,
        resolution=error.resolution,
        details=tuple(
            f"{detail.target}: {detail.message}" if detail.target else detail.message
            for detail in error.details
            if detail.message
        ),
        ids=tuple((name, value) for name, value in ids if value),
        may_have_happened=not error.outcome_known,
        retry_after_s=error.retry_after_s,
        settings_url=reverse("connection", args=[access.org.slug])
        if access and mended_in_settings and may_mend
        else "",
        ask_an_admin=bool(access) and mended_in_settings and not may_mend,
        explained_url=explained_url(access, error.kind) if access else "",
    )


def explained_url(access: OrgAccess, kind: str) -> str:
    """Where the troubleshooting page explains a kind of error."""
    return f"{reverse('troubleshooting', args=[access.org.slug])}#kind-{kind}"


def with_explanation(access: OrgAccess, words: str, kind: str) -> str:
    """For a notice of one sentence: the words, and the link to what explains the kind of error, if there is one."""
    return format_html('{} <a href="{}">More about this</a>', words, explained_url(access, kind)) if kind else words


def pingone_failed(request: HttpRequest, error: PingOneError) -> HttpResponse:
    view = request.resolver_match.func if request.resolver_match else None
    return _tell(request, note(request, error), in_place=getattr(view, "fails_in_place", False))


def note(request: HttpRequest, error: PingOneError) -> Failure:
    """Log a failure of PingOne and put it in words; for views that show it themselves, in the midst of their page."""
    access: OrgAccess | None = getattr(request, "access", None)
    if access:  # the failure may just have changed the state that the header shows
        access.org.connection.refresh_from_db()
    logger.warning(
        "PingOne call failed: %s, status %s, error %s, correlation %s, transaction %s",
        error.kind,
        error.trace.status,
        error.trace.error_id,
        error.trace.correlation_id,
        error.trace.transaction_id,
    )
    return failure_of(error, access)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler403: a member without the right, told which right that is and who has it."""
    access: OrgAccess | None = getattr(request, "access", None)
    missing = exception.args[0] if isinstance(exception, PermissionDenied) and exception.args else None
    cause = "You are not allowed to do this."
    if access and isinstance(missing, Permission):
        roles = [Membership.Role(role).label for role, rights in ROLE_PERMISSIONS.items() if missing in rights]
        cause = (
            f"It takes the right to {PERMISSION_LABELS[missing]}, which your role in {access.org.name} "
            f"({access.role.label}) does not have. These roles do: {', '.join(roles)}."
        )
    return _tell(
        request, Failure(status=HTTPStatus.FORBIDDEN, title="Not allowed", cause=cause, ask_an_admin=bool(access))
    )


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler404, for strangers as well: it must not tell what exists."""
    return _tell(
        request,
        Failure(
            status=HTTPStatus.NOT_FOUND,
            title="There is nothing here",
            cause="The address is wrong, what it names is gone, or it is not yours to see.",
        ),
    )


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler400."""
    return _tell(
        request,
        Failure(
            status=HTTPStatus.BAD_REQUEST,
            title="This request cannot be read",
            cause="Something in it is malformed.",
            resolution="Go back, load the page again, and try once more.",
        ),
    )


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """CSRF_FAILURE_VIEW."""
    return _tell(
        request,
        Failure(
            status=HTTPStatus.FORBIDDEN,
            title="This page is out of date",
            cause="It was loaded before you last signed in or out, or your browser does not accept cookies from here. "
            "Nothing was changed.",
            resolution="Load the page again, then repeat what you did.",
        ),
    )


def method_not_allowed(request: HttpRequest, refused: HttpResponseNotAllowed) -> HttpResponse:
    told = _tell(
        request,
        Failure(
            status=HTTPStatus.METHOD_NOT_ALLOWED,
            title="This address does not work that way",
            cause="It takes a button on a page of the console to get there.",
            resolution="Go back to the page you came from.",
        ),
    )
    told["Allow"] = refused["Allow"]
    return told


def server_error(request: HttpRequest) -> HttpResponse:
    """handler500: a mistake of ours. Drawn without database, session or context, which may be what is broken."""
    if wants_fragment(request):
        told = HttpResponse(render_to_string("console/failure_500_notice.html"), status=500)
        return _as_notice(told)
    return HttpResponse(render_to_string("500.html"), status=500)


def _tell(request: HttpRequest, failure: Failure, *, in_place: bool = False) -> HttpResponse:
    fragment = wants_fragment(request)
    template = "console/failure.html#notice" if fragment else "console/failure.html"
    try_again = request.get_full_path() if request.method == "GET" else ""
    context = {"failure": failure, "try_again": try_again, "in_place": in_place}
    response = render(request, template, context, status=failure.status)
    if failure.retry_after_s is not None:
        response["Retry-After"] = str(failure.retry_after_s)
    return _as_notice(response) if fragment and not in_place else response


def _as_notice(response: HttpResponse) -> HttpResponse:
    """Told above the page: the part that was to be replaced, the address and the selection all stay."""
    response["HX-Retarget"] = "#notices"
    response["HX-Reswap"] = "innerHTML"
    response["HX-Reselect"] = ".alert"
    response["HX-Push-Url"] = "false"
    return response
