"""Health checks for a service manager: is the process alive, and can it do its work."""

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from pingone_integration.sealing import seal, unseal


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    return _text("ok")


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Return 200, or 503 with the first of database, migrations and credential keys that is not ready."""
    try:
        executor = MigrationExecutor(connection)
        pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return _text("database: no answer", status=503)
    if pending:
        return _text("migrations: run manage.py migrate", status=503)
    try:
        unseal("readyz", seal("readyz", "ok"))
    except (ImproperlyConfigured, ValueError):
        return _text("credential keys: unusable", status=503)
    return _text("ready")


def _text(text: str, status: int = 200) -> HttpResponse:
    return HttpResponse(f"{text}\n", status=status, content_type="text/plain; charset=utf-8")


CHECKS = {"/healthz": healthz, "/readyz": readyz}
