"""The middleware of fault injection. It is the first to see a request."""

import re
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase

from pingone_integration.sandbox.faults.effects import EFFECTS
from pingone_integration.sandbox.models import Fault

# In this order. A path that matches none has only the faults of ALL.
PARTS = (
    (re.compile(r"/v1/"), Fault.Part.API),
    (re.compile(r"/[^/]+/as/token$"), Fault.Part.TOKEN),
    (re.compile(r"/[^/]+/as/"), Fault.Part.SIGN_ON),
)
NOT_PINGONE = re.compile(r"/$|/sandbox/|/assets/")  # the sandbox's own pages, which show and end faults


def faults(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponseBase]:
    def answer(request: HttpRequest) -> HttpResponseBase:
        fault = _strike(request)
        if fault is None:
            return get_response(request)
        # Read all of the body now: the client can finish, and only its disconnect can arrive during a wait.
        len(request.body)
        return EFFECTS[fault.effect].apply(fault, request, get_response)

    return answer


def _strike(request: HttpRequest) -> Fault | None:
    """Return the first matching fault with a use left, or None. Counts the use."""
    if NOT_PINGONE.match(request.path):
        return None
    concerned = Fault.objects.filter(on__in=[Fault.Part.ALL, _part(request.path)]).exclude(times=0)
    return next(
        (fault for fault in concerned if fault.concerns(request.method or "", request.path) and fault.strike()), None
    )


def _part(path: str) -> str:
    return next((part for pattern, part in PARTS if pattern.match(path)), Fault.Part.ALL)
