"""Health checks for a service manager: is the process alive, and can it do its work."""

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from console.access import public_view
from pingone_integration.sealing import seal, unseal


@public_view(reason="a load balancer has no session")
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok", content_type="text/plain")


@public_view(reason="a load balancer has no session")
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Return 200, or 503 with the first of database, migrations and credential keys that is not ready."""
    try:
        executor = MigrationExecutor(connection)
        pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return HttpResponse("database: no answer", status=503, content_type="text/plain")
    if pending:
        return HttpResponse("migrations: run manage.py migrate", status=503, content_type="text/plain")
    try:
        unseal("readyz", seal("readyz", "ok"))
    except (ImproperlyConfigured, ValueError):
        return HttpResponse("credential keys: unusable", status=503, content_type="text/plain")
    return HttpResponse("ready", content_type="text/plain")
