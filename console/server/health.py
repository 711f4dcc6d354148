"""Health checks for a service manager: is the process alive, and can it do its work."""

from collections.abc import Iterator

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from console.work.presence import Presence, present
from pingone_integration.sealing import seal, unseal


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    return _text("ok")


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Return 200, or 503 with the first of database, migrations and credential keys that is not ready.

    A worker that does not run is named in the text only: the pages work without it.
    """
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
    return _text("\n".join(["ready", *_about_the_worker(present())]))


def _about_the_worker(worker: Presence) -> Iterator[str]:
    yield "worker: running" if worker.is_running else "worker: not running"
    if worker.waiting_for is None:
        yield "oldest waiting: none"
    else:
        yield f"oldest waiting: {worker.waiting_for.total_seconds():.0f} s"


def _text(text: str, status: int = 200) -> HttpResponse:
    return HttpResponse(f"{text}\n", status=status, content_type="text/plain; charset=utf-8")


CHECKS = {"/healthz": healthz, "/readyz": readyz}
