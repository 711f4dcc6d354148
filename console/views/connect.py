"""Connect: the way to PingOne for an administrator's approval, the OAuth callback, and the choice of environment."""

from collections.abc import Callable
from functools import wraps
from urllib.parse import urlsplit

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from console.access import (
    ConsoleRequest,
    OrgAccess,
    Permission,
    enter_org,
    lacks_second_factor,
    operator_view,
    org_view,
)
from console.connection.callback_address import redirect_uri
from console.connection.environment_choice import bound_to, guard_of, is_valid
from console.connection.forms import EnvironmentForm
from console.connection.page import connection_page, save_typed
from console.connection.settings import record_connected, record_event
from console.failures.connect import INCOMPLETE, SIGNED_OUT_MEANWHILE, failure_of_redirect, save_failure
from console.failures.failure import Failure, failure_of, with_explanation
from console.models import AuditEntry, Organization
from console.page.connection_status import status_of
from console.sessions import single_sign_on
from console.source_address import source_address
from console.work import schedule
from pingone_integration.connection import authorization, environments
from pingone_integration.connection.environments import Environment
from pingone_integration.errors import Blocked, MissingPermission, PingOneError, StateRejected, UnknownEnvironment
from pingone_integration.texts import english
from pingone_integration.typed.text import clean

SIGNED_OUT = "signed-out"
GLANCE = 10  # up to this many environments need no search box


@org_view(Permission.MANAGE_CONNECTION)
@require_POST
def connect(request: ConsoleRequest, access: OrgAccess) -> HttpResponse:
    """Save the form and leave for PingOne's sign-on page.

    Not by a redirect: Chromium applies the page's `form-action 'self'` to every redirect that follows a form, and
    allowing the Auth URL would not help, since PingOne leads on to other hosts of its own and of identity providers.
    A page of the console that refreshes to PingOne at once starts a new navigation. It needs no JavaScript, keeps
    the policy as strict as elsewhere, and the back button skips it.
    """
    form = save_typed(request, access)
    if form.errors:
        return connection_page(request, access, form)
    connection = access.org.connection
    try:
        url = authorization.begin(
            connection, redirect_uri=redirect_uri(request), bound_to=bound_to(request, access.org)
        )
    except UnknownEnvironment as error:
        text = format_lazy("{title}. {cause}", title=error.title, cause=error.cause)
        form.add_error("environment_id", with_explanation(access, text, error.kind))
        return connection_page(request, access, form)
    except PingOneError as error:
        return connection_page(request, access, form, failure=failure_of(error, None))
    response = render(request, "console/connection/leaving.html", {"url": url, "host": urlsplit(url).netloc})
    response.headers["Refresh"] = f"0;url={url}"
    return response


def _keeps_code_out_of_sign_in(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Redirect a signed-out browser to sign in, with an address that has neither code nor state."""

    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponseBase:
        if request.user.is_authenticated:
            return view(request)
        return redirect_to_login(f"{reverse('connect-callback')}?{SIGNED_OUT}")

    return guarded


@_keeps_code_out_of_sign_in
@operator_view
@require_safe
def callback(request: ConsoleRequest) -> HttpResponse:
    """Handle the OAuth callback from PingOne, with a code or an error.

    Always redirect to a page of the console, so that code and state leave the address bar. Trust only a known
    `state`: it names the organization, and the operator must be able to manage its connection now.
    """
    if SIGNED_OUT in request.GET:
        return _start_over(request, SIGNED_OUT_MEANWHILE)
    state = _only(request, "state")
    access = _access_of(request, state)
    if access is None:
        reason = StateRejected.Reason.FOREIGN if state else StateRejected.Reason.MISSING
        return _start_over(request, failure_of(StateRejected(reason), None))
    first = lacks_second_factor(request, access) or single_sign_on.is_demanded(request, request.user, access.membership)
    if first or not access.allows(Permission.MANAGE_CONNECTION):
        return redirect("connection", access.org.slug)  # that page says that this is not allowed
    try:
        failure = _answered(request, access, state)
    except StateRejected as rejected:
        failure = failure_of(rejected, None)
        if rejected.reason == StateRejected.Reason.REPLAYED:  # it may have just connected: no error
            text = _("{cause} This page shows the connection as it is now.")
            messages.info(request, format_lazy(text, cause=rejected.cause))
            return redirect("connection", access.org.slug)
    except PingOneError as error:
        failure = failure_of(error, None)
    if failure:
        record_event(
            access,
            "connection.connect-failed",
            source_address=source_address(request),
            outcome=AuditEntry.Outcome.FAILED,
            reason=english(failure.title),
        )
        save_failure(request.session, access.org.connection, failure)
        return redirect("connection", access.org.slug)
    before = access.org.connection.managed_environment_name
    record_connected(access, environment_before=before, source_address=source_address(request))
    schedule.hasten("sync_role_groups")
    _tell_connected(request, access)
    return redirect("connection" if access.org.connection.managed_environment_id else "environments", access.org.slug)


def _tell_connected(request: ConsoleRequest, access: OrgAccess) -> None:
    status = status_of(access.org.connection)
    if status.ends_at is None:
        connected = _("Connected {organization} to PingOne.")
        messages.success(request, format_lazy(connected, organization=access.org.name))
        return
    text = _("Connected {organization} to PingOne for now. {ends}")
    messages.warning(request, format_lazy(text, organization=access.org.name, ends=status.sentence))


def _only(request: HttpRequest, name: str) -> str:
    """Return the parameter's value, or "" if it is absent or repeated. PingOne never repeats it."""
    values = request.GET.getlist(name)
    return values[0] if len(values) == 1 else ""


def _access_of(request: ConsoleRequest, state: str) -> OrgAccess | None:
    """Return the access to the organization of `state`, or None if it is unknown or the operator is no member."""
    organization = Organization.objects.filter(connection=authorization.connection_of(state)).first()
    try:
        return enter_org(request.user, organization.slug) if organization else None
    except Http404:
        return None


def _answered(request: ConsoleRequest, access: OrgAccess, state: str) -> Failure | None:
    """Finish the connection. Return the failure, or None if connected. Raises PingOneErrors."""
    code, error, description = (_only(request, name) for name in ("code", "error", "error_description"))
    binding = bound_to(request, access.org)
    if error:
        waited = authorization.refuse(state=state, bound_to=binding, error=error, description=description)
        foreign = failure_of(StateRejected(StateRejected.Reason.FOREIGN), None)
        return failure_of_redirect(error, description) if waited else foreign
    if not code:
        return INCOMPLETE
    authorization.finish(state=state, code=code, redirect_uri=redirect_uri(request), bound_to=binding)
    return None


def _start_over(request: ConsoleRequest, failure: Failure) -> HttpResponse:
    """Redirect with the failure: to the connection page if the operator manages exactly one, else home."""
    accesses = [enter_org(request.user, organization.slug) for organization in request.user.entered_organizations]
    managed = [access.org for access in accesses if access.allows(Permission.MANAGE_CONNECTION)]
    if len(managed) == 1:
        save_failure(request.session, managed[0].connection, failure)
        return redirect("connection", managed[0].slug)
    text = format_lazy("{}. {} {}", failure.title, failure.cause, failure.resolution)
    messages.error(request, text)
    return redirect("home")


@org_view(Permission.MANAGE_CONNECTION)
@require_http_methods(["GET", "POST"])
def managed_environment(request: ConsoleRequest, access: OrgAccess) -> HttpResponse:
    """List the environments that the administrator who connected sees (GET), or choose the managed one (POST)."""
    if request.method == "POST":
        return _choose(request, access)
    connection, visible = access.org.connection, _visible(access)
    query = clean(request.GET.get("q", ""))
    found = [one for one in visible if query.lower() in f"{one.name} {one.id}".lower()]
    managed = connection.managed_environment_id
    context = {
        "connection": connection,
        "environments": sorted(found, key=lambda one: (one.id != managed, not one.is_active, one.name.lower())),
        "total": len(visible),
        "query": query,
        "glance": GLANCE,
        "guard": guard_of(request, access.org),
    }
    return render(request, "console/connection/environments.html", context)


def _visible(access: OrgAccess) -> tuple[Environment, ...]:
    """Return the environments. PingOne may refuse the list, instead of an empty list, if there are none."""
    try:
        return environments.visible(access.org.connection)
    except (MissingPermission, Blocked):
        return ()


def _choose(request: ConsoleRequest, access: OrgAccess) -> HttpResponse:
    if not is_valid(request.POST.get("guard", ""), request, access.org):
        expired = _(
            "This choice has expired: the list is older than ten minutes, or PingOne was connected again since. "
            "Nothing was changed. Choose again."
        )
        messages.error(request, expired)
        return redirect("environments", access.org.slug)
    connection, form = access.org.connection, EnvironmentForm(request.POST)
    chosen = form.cleaned_data["environment"] if form.is_valid() else None
    environment = next((one for one in _visible(access) if one.id == chosen and one.is_active), None)
    if environment is None:
        messages.error(request, _("This environment is no longer available. Choose another one."))
        return redirect("environments", access.org.slug)
    before = {"managed_environment": connection.managed_environment_name}
    environments.choose(connection, environment)
    after = {"managed_environment": environment.name}
    record_event(
        access,
        "connection.environment-chosen",
        source_address=source_address(request),
        before=before,
        after=after,
    )
    schedule.hasten("sync_role_groups")
    chosen_now = _("{organization} now manages {environment}.")
    messages.success(request, format_lazy(chosen_now, organization=access.org.name, environment=environment.name))
    return redirect("connection", access.org.slug)
