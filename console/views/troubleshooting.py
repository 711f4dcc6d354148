"""Troubleshooting: the connection's checks and capabilities, failed calls, and an explanation of every error."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from console.access import ConsoleRequest, OrgAccess, Permission, org_view
from console.connection.capabilities import Capability, capabilities
from console.connection.checks import LastResults, advice_of, for_support, subject_of
from console.connection.page import warn_if_unconfirmed
from console.connection.settings import change_settings
from console.failures import explain
from console.failures.explain import ExplainForm
from console.failures.failure import explained_url
from console.fragments import wants_fragment
from console.protection import groups
from console.source_address import source_address
from console.work.presence import present
from pingone_integration import checks
from pingone_integration.calls import failed_calls
from pingone_integration.checks import BY_KEY, CHECKS, Check, Result, State
from pingone_integration.checks.model import listed
from pingone_integration.connection.credentials import Credentials
from pingone_integration.connection.regions import api_url_for
from pingone_integration.errors import SettingsIncomplete
from pingone_integration.models import Connection
from pingone_integration.texts import Text

LONGEST_RUN_S = 10  # for all checks in one request; the running check may still finish


@dataclass(frozen=True)
class Look:
    """The icon and color of a state: never color alone."""

    icon: str
    tone: str  # Tabler's name of the color


_LOOKS = {
    State.PASSED: Look("circle-check", "success"),
    State.FAILED: Look("alert-circle", "danger"),
    State.WARNING: Look("alert-triangle", "warning"),
    State.CANNOT_TELL: Look("info-circle", "secondary"),
    State.SKIPPED: Look("x", "secondary"),
}


@dataclass(frozen=True, kw_only=True)
class Line:
    """One check in the list."""

    check: Check
    url: str
    result: Result | None = None  # None: not run
    goes_on: str = ""  # while it runs: the query of the request for its result
    explained_url: str = ""

    @property
    def state(self) -> str:
        """Return the check's state, for data-state: of its result, or "running" or "not-run"."""
        if self.goes_on:
            return "running"
        return self.result.state if self.result else "not-run"

    @property
    def kind(self) -> str:
        return self.result.finding.kind if self.result else ""

    @property
    def look(self) -> Look | None:
        return _LOOKS[self.result.state] if self.result else None

    @property
    def icon(self) -> str:
        """Return the icon's name, or "" for a check that was not run: the stylesheet draws it."""
        if self.goes_on:
            return "refresh"
        return self.look.icon if self.look else ""

    @property
    def advice(self) -> Text:
        return advice_of(self.result.finding) if self.result else ""


@org_view(Permission.ENTER)
@require_safe
def troubleshooting(request: ConsoleRequest, access: OrgAccess) -> HttpResponse:
    """Show the connection's state and every error. Operators who manage the connection also see the last checks."""
    return _page(request, access)


@org_view(Permission.MANAGE_CONNECTION)
@require_safe
def check_all(request: ConsoleRequest, access: OrgAccess) -> HttpResponse:
    """Run all checks. With htmx, start with the first check; each answer requests the next."""
    last = LastResults(request.session, access.org.connection)
    last.clear()
    if wants_fragment(request):
        return render(
            request, "console/connection/troubleshooting/checks.html", _checks_context(access, last, running=CHECKS[0])
        )
    results = list(checks.run_all(subject_of(access.org, request=request), within_s=LONGEST_RUN_S))
    access.org.connection.refresh_from_db()
    last.add(*results)
    return _page(request, access)


@org_view(Permission.MANAGE_CONNECTION)
@require_http_methods(["GET", "HEAD", "POST"])
def check_one(request: ConsoleRequest, access: OrgAccess, key: str) -> HttpResponse:
    """Run one check: alone, or with `?then=next` as a step of all. POST renews the access token."""
    check = BY_KEY.get(key)
    if check is None:
        raise Http404("No such check.")
    if request.method == "POST" and not check.renews:
        return HttpResponseNotAllowed(["GET", "HEAD"])
    failed = [name for name in request.GET.getlist("failed") if name in BY_KEY]
    subject = subject_of(access.org, request=request, renewal_asked_for=request.method == "POST")
    result = checks.run(check, subject, failed=failed)
    access.org.connection.refresh_from_db()
    last = LastResults(request.session, access.org.connection)
    fallen = last.add(result)
    if not wants_fragment(request):
        return redirect(f"{_url(access)}#check-{key}") if request.method == "POST" else _page(request, access)
    if "then" not in request.GET:
        alone = {
            "line": _line(access, check, result),
            "fallen": [_line(access, BY_KEY[key], None) for key in sorted(fallen & set(BY_KEY))],
            **_summary(last.get().values()),
            **_support_context(request, access, last),
        }
        return render(request, "console/connection/troubleshooting/alone.html", alone)
    if result.blocks:
        failed.append(key)
    place = CHECKS.index(check) + 1
    following = CHECKS[place] if place < len(CHECKS) else None
    context = {
        "line": _line(access, check, result),
        "following": _running(access, following, failed) if following else None,
        "place": place + 1,
        **_summary(last.get().values()),
        **(_support_context(request, access, last) if following is None else {}),
    }
    return render(request, "console/connection/troubleshooting/step.html", context)


@org_view(Permission.MANAGE_CONNECTION)
@require_safe
def what_it_can_do(request: ConsoleRequest, access: OrgAccess) -> HttpResponse:
    """Show the connection's capabilities. A separate request, because it costs a few calls."""
    rows = capabilities(subject_of(access.org, request=request))
    if wants_fragment(request):
        return render(request, "console/connection/troubleshooting/capabilities.html", {"capabilities": rows})
    return _page(request, access, capability_rows=rows)


@org_view(Permission.MANAGE_CONNECTION)
@require_safe
def support_text(request: ConsoleRequest, access: OrgAccess) -> HttpResponse:
    """Return the text for support as a download."""
    last = LastResults(request.session, access.org.connection)
    response = HttpResponse(
        _support_context(request, access, last)["support"], content_type="text/plain; charset=utf-8"
    )
    response["Content-Disposition"] = f'attachment; filename="connection-{access.org.slug}.txt"'
    return response


@org_view(Permission.MANAGE_CONNECTION)
@require_POST
def correct_auth_url(request: ConsoleRequest, access: OrgAccess) -> HttpResponse:
    """Store the Auth URL that a check found to be right. An existing connection ends."""
    connection = access.org.connection
    auth_url = request.POST.get("auth_url", "")
    api_url_for(auth_url)  # against SSRF: raises InvalidApiUrl for an unknown host
    if connection.environment_id is None:
        raise SettingsIncomplete
    entered = Credentials(
        client_id=connection.client_id,
        auth_url=auth_url,
        environment_id=connection.environment_id,
        client_authentication=Connection.ClientAuthentication(connection.client_authentication),
    )
    unconfirmed = change_settings(access, entered, source_address=source_address(request))
    warn_if_unconfirmed(request, access, unconfirmed)
    LastResults(request.session, connection).clear()
    text = _("Changed the Auth URL to {url}. Press Connect to connect to PingOne there.")
    messages.success(request, format_lazy(text, url=auth_url))
    return redirect("connection", access.org.slug)


@org_view(Permission.ENTER)
@require_http_methods(["GET", "HEAD", "POST"])
def explain_error(request: ConsoleRequest, access: OrgAccess) -> HttpResponse:
    """Explain a pasted error. The text may hold anything, so it is neither stored nor shown again."""
    if request.method != "POST":
        return redirect(f"{_url(access)}#explain")
    form = ExplainForm(request.POST)
    explained = explain.explain(form.cleaned_data["error_text"], access) if form.is_valid() else None
    context: dict[str, Any] = {"explaining": form, "explained": explained}
    status = 200 if form.is_valid() else 422
    if wants_fragment(request):
        return render(request, "console/connection/troubleshooting/explain.html#explained", context, status=status)
    return _page(request, access, context, status=status)


def _page(
    request: ConsoleRequest,
    access: OrgAccess,
    more: dict[str, Any] | None = None,
    *,
    capability_rows: list[Capability] | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "connection": access.org.connection,
        "kinds": explain.every_kind(),
        "explain_form": ExplainForm(),
        **(more or {}),
    }
    if access.allows(Permission.MANAGE_CONNECTION):
        last = LastResults(request.session, access.org.connection)
        context |= _checks_context(access, last) | _support_context(request, access, last)
        context |= {"capabilities": capability_rows, "lately": failed_calls.lately(access.org.connection)}
        context |= {"worker": present(), "group_table": groups.table_of(access.org)}
    return render(request, "console/connection/troubleshooting.html", context, status=status)


def _checks_context(access: OrgAccess, last: LastResults, *, running: Check | None = None) -> dict[str, Any]:
    results = last.get()
    return {
        "lines": [
            _running(access, check, []) if check is running else _line(access, check, results.get(check.key))
            for check in CHECKS
        ],
        "running": running,
        **_summary(results.values()),
    }


def _support_context(request: ConsoleRequest, access: OrgAccess, last: LastResults) -> dict[str, Any]:
    results, failed = last.get(), failed_calls.lately(access.org.connection)
    in_order = [results[check.key] for check in CHECKS if check.key in results]
    return {"support": for_support(request, access.org.connection, in_order, failed)}


def _line(access: OrgAccess, check: Check, result: Result | None) -> Line:
    kind = result.finding.kind if result else ""
    return Line(
        check=check,
        url=reverse("connection-check", args=[access.org.slug, check.key]),
        result=result,
        explained_url=explained_url(access, kind) if kind else "",
    )


def _running(access: OrgAccess, check: Check, failed: list[str]) -> Line:
    url = reverse("connection-check", args=[access.org.slug, check.key])
    return Line(check=check, url=url, goes_on=urlencode({"then": "next", "failed": failed}, doseq=True))


def _summary(results: Iterable[Result]) -> dict[str, Any]:
    """Count the checks by state, in the order of the states."""
    states = [result.state for result in results]
    counts = [_counted(state, states.count(state)) for state in State if state in states]
    return {"summary": listed(*counts), "total": len(CHECKS)}


def _counted(state: State, count: int) -> Text:
    counted = {
        State.PASSED: ngettext_lazy("{count} passed", "{count} passed", count),
        State.FAILED: ngettext_lazy("{count} failed", "{count} failed", count),
        State.WARNING: ngettext_lazy("{count} warning", "{count} warnings", count),
        State.CANNOT_TELL: ngettext_lazy("{count} unknown", "{count} unknown", count),
        State.SKIPPED: ngettext_lazy("{count} skipped", "{count} skipped", count),
    }
    return format_lazy(counted[state], count=count)


def _url(access: OrgAccess) -> str:
    return reverse("troubleshooting", args=[access.org.slug])
