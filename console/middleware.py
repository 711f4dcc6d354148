"""What every page needs: privacy headers, the reader's time zone, and PingOne's failures in words."""

import zoneinfo
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_vary_headers

from pingone_integration.errors import PingOneError

GetResponse = Callable[[HttpRequest], HttpResponse]


class PrivatePages:
    """Pages hold personal data: no cache keeps them, and the back button never shows a bare fragment."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "no-store")
        patch_vary_headers(response, ["HX-Request"])
        return response


class ReaderTimeZone:
    """Times are shown in the zone that the browser named in the `timezone` cookie; UTC without one."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        name = request.COOKIES.get("timezone", "")
        zone = zoneinfo.ZoneInfo(name) if name in zoneinfo.available_timezones() else None
        with timezone.override(zone or "UTC"):
            return self.get_response(request)


class PingOneErrors:
    """A PingOne failure as a page or, for a fragment, as a notice: cause, next step, and the ids support needs."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, PingOneError):
            return None
        return render(request, "console/pingone_error.html", {"error": error}, status=502)
