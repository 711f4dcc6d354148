"""`/metrics`, for Prometheus: only with the token of the setting METRICS_TOKEN."""

import hmac

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from console.metrics import totals
from console.metrics.state import State

PATH = "/metrics"
TEXT = "text/plain; charset=utf-8"


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Return all metrics, 401 without the token, or 503 if the database does not answer."""
    if not _has_token(request):
        headers = {"WWW-Authenticate": "Bearer"}
        return HttpResponse("A bearer token is required.\n", status=401, content_type=TEXT, headers=headers)
    registry = CollectorRegistry(auto_describe=False)
    try:
        totals.store()
        registry.register(totals.Totals())
        registry.register(State())
        body = generate_latest(registry)
    except DatabaseError:
        return HttpResponse("database: no answer\n", status=503, content_type=TEXT)
    return HttpResponse(body, content_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"})


def _has_token(request: HttpRequest) -> bool:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    expected: str = settings.METRICS_TOKEN
    return scheme.lower() == "bearer" and hmac.compare_digest(token.strip().encode(), expected.encode())
