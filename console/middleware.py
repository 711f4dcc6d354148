"""Middleware: what every request and response passes, from the transaction ID to failures in words."""

import logging
import zoneinfo
from collections.abc import Callable
from functools import cache
from typing import Any

from django.conf import settings
from django.core.exceptions import DisallowedHost, PermissionDenied
from django.core.files.uploadhandler import FileUploadHandler, StopUpload
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_vary_headers

from console.access import OrgAccess
from console.audit.refusals import permission_refused
from console.failures import pages
from console.failures.failure import Failure
from console.fragments import wants_fragment
from console.limits.reading import looked_at
from console.metrics import endpoint
from console.operators.sign_ins import entered, throttled
from console.page.frame import current_status
from console.rights import viewing
from console.server import health
from console.source_address import source_address
from pingone_integration.calls import connection_states, deadline, transaction_id
from pingone_integration.errors import PingOneError

PAGE_S = 10.0  # nobody waits longer

UNKNOWN_HOST = (
    "The console does not answer at this address.\n"
    "Use the address in its setting PUBLIC_URL, or add this host name to ALLOWED_HOSTS.\n"
)

logger = logging.getLogger(__name__)

GetResponse = Callable[[HttpRequest], HttpResponse]


class Transaction:
    """The transaction ID of each request, until its response is closed: a download is still sent after this returns."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        transaction_id.begin()
        return self.get_response(request)


class HealthChecks:
    """The health checks and the metrics, before anything that needs a known host, a session or the database."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path == endpoint.PATH and settings.METRICS_TOKEN:
            return endpoint.metrics(request)
        check = health.CHECKS.get(request.path)
        return check(request) if check else self.get_response(request)


class KnownHost:
    """Requests for another host end here: links, cookies and redirects depend on the host, and so does every page.

    Django's own answer to them is a page, which cannot be rendered without a host.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            request.get_host()
        except DisallowedHost:
            logger.warning(
                "Refused a request for the host %.100r: it is not in ALLOWED_HOSTS.", request.META.get("HTTP_HOST")
            )
            return HttpResponseBadRequest(UNKNOWN_HOST, content_type="text/plain; charset=utf-8")
        return self.get_response(request)


class Compression(GZipMiddleware):
    """Pages and files of the demo, compressed. A secret in a page stays secret: see `max_random_bytes`.

    A download stays as it is: its rows are sent as they come, so that the crawl behind it ends with the browser.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if response.get("Content-Disposition", "").startswith("attachment"):
            return response
        return super().process_response(request, response)


class PrivatePages:
    """Headers for personal data: no cache keeps a page, and the back button never shows a bare fragment."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "no-store")
        patch_vary_headers(response, ["HX-Request"])
        return response


@cache
def zone_names() -> frozenset[str]:
    """Return the names of all time zones, read from disk once: every request looks up its cookie here."""
    return frozenset(zoneinfo.available_timezones())


class ReaderTimeZone:
    """The reader's time zone, which the browser names in a cookie; UTC without a cookie."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        name = request.COOKIES.get(settings.TIME_ZONE_COOKIE_NAME, "")
        zone = zoneinfo.ZoneInfo(name) if name in zone_names() else None
        with timezone.override(zone or "UTC"):
            return self.get_response(request)


class Deadline:
    """A deadline: a page waits ten seconds for PingOne, for all calls together. A write may take longer.

    A streamed export runs after this middleware, without a deadline: each of its calls has its own timeouts.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with deadline.within(PAGE_S):
            return self.get_response(request)


class ViewingAs:
    """While an operator views an organization as a member, nothing but reading: no change, and no page of an account.

    They can stop viewing, and sign out.
    """

    ALLOWED = frozenset({"stop-viewing", "account_logout"})
    NOT_EVEN_READ = frozenset({"connect-callback"})  # its GET connects

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        match = request.resolver_match
        name = match.url_name if match else None
        # Recovery knows no operator: it is for whoever borrows this browser.
        if name in self.ALLOWED or request.path.startswith("/recover/") or not viewing.is_on(request):
            return None
        is_of_account = request.path.startswith("/accounts/")
        if request.method in {"GET", "HEAD"} and not is_of_account and name not in self.NOT_EVEN_READ:
            return None
        return pages.viewing_as(request)


class Failures:
    """A view's failures as a page or, for a fragment, as a notice; see failures/pages.py."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code == 429 and request.path.startswith("/accounts/"):  # too many tries to sign in
            throttled(request)
        if isinstance(response, HttpResponseNotAllowed) and not response.content:
            return pages.method_not_allowed(request, response)
        reported: Failure | None = getattr(request, "reported", None)
        if reported and reported.retry_after_s is not None and response.status_code == reported.status:
            response.headers.setdefault("Retry-After", str(reported.retry_after_s))
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        access: OrgAccess | None = getattr(request, "access", None)
        if access and isinstance(error, PermissionDenied):
            found = request.resolver_match
            page = " ".join(str(part) for part in (found.url_name, found.kwargs.get("key")) if part) if found else ""
            permission_refused(access, error, door=page, source_address=source_address(request))
        return pages.pingone_failed(request, error) if isinstance(error, PingOneError) else None


class PeopleLookedAt:
    """The users whose page, panels or forms an operator reads are counted: one place for every URL about a user."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        access: OrgAccess | None = getattr(request, "access", None)
        user_id = request.resolver_match.kwargs.get("user_id") if request.resolver_match else None
        if access and user_id and response.status_code in {200, 422}:
            looked_at(access, user_id)
        return response


class Entering:
    """The sign-in goes on record in each organization that the operator enters, at their first page there."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if access := getattr(request, "access", None):
            entered(request, access.operator, access.org)
        return response


class ConnectionStatus:
    """The connection's status as it is after the request's calls; a fragment brings it if its page shows another one.

    The browser says in a header which status its page shows, see console.js.
    """

    HEADER = "X-Connection-Status"

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with connection_states.watched() as changes:
            request.changed_connections = changes  # type: ignore[attr-defined]
            response = self.get_response(request)
        access: OrgAccess | None = getattr(request, "access", None)
        shown = request.headers.get(self.HEADER, "")
        is_swapped = bool(shown) and wants_fragment(request) and _is_swapped(response)
        if access and is_swapped and current_status(request, access).key != shown:
            has_strip = {"has_strip": "X-Connection-Strip" in request.headers}
            response.content += render(request, "console/page/connection_now.html", has_strip).content
        return response


def _is_swapped(response: HttpResponse) -> bool:
    is_page = response.headers.get("Content-Type", "").startswith("text/html") and not response.streaming
    return is_page and response.status_code != 204 and "HX-Redirect" not in response.headers


class NoUploads(FileUploadHandler):
    """An upload handler that stops at the first file, because no page takes one.

    Django parses a form before the view runs, so that a stranger could fill the disk through any form. A view that
    takes a file checks the operator first, and then sets `request.upload_handlers` itself.
    """

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        raise StopUpload(connection_reset=True)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        raise StopUpload(connection_reset=True)

    def file_complete(self, file_size: int) -> None:
        return None
