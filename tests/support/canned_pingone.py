"""A console on gunicorn, as in production, whose organizations have a fake PingOne each."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Lock, Thread

import httpx

from console.demo.__main__ import MANAGE, wait_for_console, write_environment
from console.demo.processes import Children
from tests.support.answers import ada, listing
from tests.support.console_server import free_port
from tests.support.sandbox_server import ROOT

PASSWORD = "correct horse battery"

# A database with two connected organizations, each with a PingOne of its own.
SEED = """
import json, sys
from datetime import timedelta
from uuid import uuid4
from django.core.management import call_command
from django.utils import timezone
from console.models import Membership, Operator, Organization
from pingone_integration.models import Connection
call_command("migrate", interactive=False)
for slug, url in {pingones!r}.items():
    row = Connection(client_id="app", auth_url=url, environment_id=uuid4(), managed_environment_id=uuid4())
    row.sealed_access_token = row.seal("access_token", "good for an hour")
    row.access_token_expires_at = timezone.now() + timedelta(hours=1)
    row.state = Connection.State.CONNECTED
    row.licensed_calls = {licensed_calls!r}
    row.save(force_insert=True)
    organization = Organization.objects.create(slug=slug, name=slug.title(), connection=row)
    operator = Operator.objects.create_user(f"agent@{{slug}}.test", {password!r})
    Membership.objects.create(organization=organization, operator=operator, role=Membership.Role.HELPDESK_AGENT)
"""


@dataclass
class PingOne:
    """A fake PingOne that answers every call with a list of one user, or hangs without an answer."""

    url: str
    hangs: bool = False
    waiting: int = 0


@contextmanager
def listening() -> Iterator[PingOne]:
    over, counting = Event(), Lock()
    body = listing("users", ada())
    content = httpx.Response(200, json=body).content

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            if pingone.hangs:
                with counting:
                    pingone.waiting += 1
                over.wait(timeout=60)
                self.close_connection = True
                return
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named by http.server
            """Log nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

    server = Server(("127.0.0.1", 0), Handler)
    pingone = PingOne(url=f"http://127.0.0.1:{server.server_port}")
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield pingone
    finally:
        over.set()
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def console_for(
    directory: Path,
    pingones: dict[str, str],
    *,
    processes: int,
    threads: int,
    more: str = "",
    licensed_calls: int | None = None,
    **settings: str,
) -> Iterator[str]:
    """Yield the address of a console on gunicorn that has only these organizations. `licensed_calls`: a second.

    `more` is code that fills the database further; then a worker runs as well.
    """
    port = free_port()
    environment = write_environment(directory, port, 1) | {
        "PINGONE_CUSTOM_HOSTS": ",".join(f"{url}={url}" for url in pingones.values()),
        "WEB_CONCURRENCY": str(processes),
        "WEB_THREADS": str(threads),
        **settings,
    }
    children = Children(directory, ROOT)
    try:
        seed = SEED.format(pingones=pingones, password=PASSWORD, licensed_calls=licensed_calls) + more
        children.run("seed", [*MANAGE, "shell", "--no-imports", "--command", seed], environment)
        children.start("console", [sys.executable, "-m", "gunicorn", "console.wsgi"], environment)
        if more:
            children.start("worker", [*MANAGE, "worker"], environment)
        wait_for_console(children, port)
        yield f"http://localhost:{port}"
    finally:
        children.stop()
