"""The entrance to the pages of recovery below /recover/<org>/, and how each of them is shown.

No operator, no session: a cookie of its own holds a random key, whose attempt says user, step and choice. The attempt
is found by the key within the URL's organization, and nowhere else.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from console.access import public_view
from console.models import Organization, RecoveryAttempt
from console.recovery import attempts, throttle
from console.recovery.policy import organization_at, settings_of
from console.source_address import source_address

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, Organization, P], HttpResponse]

_open = public_view(reason="people who cannot sign in have no account here")


def recovery_view(view: View[P]) -> Callable[..., HttpResponseBase]:
    """Decorate a page of recovery. "No such organization" and "not switched on" are the same 404.

    A form is counted for the network that sends it.
    """
    return _entered(view, begins=False)


def beginning_view(view: View[P]) -> Callable[..., HttpResponseBase]:
    """Decorate the form that begins an attempt. It has a limit more than other forms."""
    return _entered(_form(view), begins=True)


def _entered(view: View[P], *, begins: bool) -> Callable[..., HttpResponseBase]:
    @_open
    @wraps(view)
    def entered(request: HttpRequest, org: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        organization = organization_at(org)
        if organization is None:
            raise Http404("No such page.")
        allows = throttle.allows_beginning if begins else throttle.allows_form
        if request.method == "POST" and not allows(throttle.network_of(source_address(request))):
            return show(request, organization, "too_many", status=429)
        return view(request, organization, *args, **kwargs)

    return entered


def _form(view: View[P]) -> View[P]:
    """Lead a browser that opens the address of a form, as it does for a restored tab, to where the person is."""

    @require_http_methods(["GET", "HEAD", "POST"])
    @wraps(view)
    def sent(request: HttpRequest, organization: Organization, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if request.method != "POST":
            return redirect("recover", organization.slug)
        return view(request, organization, *args, **kwargs)

    return sent


def attempt_view(view: Callable[[HttpRequest, RecoveryAttempt], HttpResponse]) -> Callable[..., HttpResponseBase]:
    """Decorate a form of an attempt that has begun. Without an attempt, it leads to the beginning."""

    @recovery_view
    @_form
    @wraps(view)
    def entered(request: HttpRequest, organization: Organization) -> HttpResponse:
        attempt = attempt_of(request, organization)
        return view(request, attempt) if attempt else redirect("recover", organization.slug)

    return entered


def attempt_of(request: HttpRequest, organization: Organization) -> RecoveryAttempt | None:
    attempt = attempts.current(organization, request.COOKIES.get(settings.RECOVERY_COOKIE_NAME, ""))
    if attempt:
        attempt.organization = organization
    return attempt


def resume(attempt: RecoveryAttempt) -> HttpResponse:
    return redirect("recover", attempt.organization.slug)


def show_unreachable(request: HttpRequest, attempt: RecoveryAttempt) -> HttpResponse:
    return show(request, attempt.organization, "unreachable", attempt=attempt, status=503)


def show(
    request: HttpRequest, organization: Organization, template: str, *, status: int = 200, **context: Any
) -> HttpResponse:
    context |= {"organization": organization, "ours": settings_of(organization)}
    return render(request, f"console/recovery/{template}.html", context, status=status)
