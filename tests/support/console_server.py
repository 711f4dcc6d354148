"""The console on gunicorn as in production, connected to a sandbox."""

import os
import re
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from console.demo.__main__ import MANAGE, wait_for_console, write_environment
from console.demo.people import PASSWORD
from console.demo.processes import Children
from tests.support.sandbox_server import ROOT, Sandbox, new_browser, sign_on

# One process for both steps, because a process takes a second to start.
FILL = """
from django.core.management import call_command
call_command("migrate", interactive=False)
call_command("seed_demo", {connection!r})
"""


@dataclass(frozen=True)
class ConsoleServer:
    """A running console with the demo's organizations and people. Acme is connected."""

    url: str
    environment: dict[str, str]
    children: Children

    @contextmanager
    def browser(self, email: str = "admin@acme.test") -> Iterator[httpx.Client]:
        """Open a client that is signed in as the operator of the demo with this email."""
        with new_browser() as browser:
            browser.base_url = httpx.URL(self.url)
            browser.get("/accounts/login/")
            signed_in = submit(browser, "/accounts/login/", {"login": email, "password": PASSWORD})
            assert signed_in.status_code == 302, signed_in.text
            yield browser

    def stop(self) -> None:
        """Stop gunicorn as a service manager does, and wait for its end."""
        process = self.children.running["console"]
        process.terminate()
        process.wait(timeout=40)

    def log(self) -> str:
        """Return gunicorn's output so far."""
        return self.children.log("console").read_text()


@contextmanager
def running_console(directory: Path, port: int, sandbox: Sandbox, **settings: str) -> Iterator[ConsoleServer]:
    """Run a console on `port`, with `settings` on top of the demo's settings.

    The sandbox must have `callback_address(port)` as a redirect URI.
    """
    shell = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    environment = shell | write_environment(directory, port, urlsplit(sandbox.url).port or 80) | settings
    children = Children(directory, ROOT)
    try:
        filled = FILL.format(connection=str(directory / "connection.json"))
        children.run("fill", [*MANAGE, "shell", "--no-imports", "--command", filled], environment)
        children.start("console", [sys.executable, "-m", "gunicorn", "console.wsgi"], environment)
        wait_for_console(children, port)
        server = ConsoleServer(f"http://localhost:{port}", environment, children)
        with server.browser() as browser:
            connect(browser)
        yield server
    finally:
        children.stop()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def callback_address(port: int) -> str:
    return f"http://localhost:{port}/connect/callback/"


def connect(browser: httpx.Client) -> None:
    settings = "/o/acme/settings/connection/"
    typed = dict(re.findall(r'name="(\w+)"(?: \w+="[^"]*")* value="([^"]*)"', browser.get(settings).text))
    typed |= {"client_secret": "", "client_authentication": "client_secret_basic"}
    away = submit(browser, f"{settings}connect/", typed).headers["Refresh"].removeprefix("0;url=")
    browser.get(sign_on(away))
    assert "Acme production" in browser.get(settings).text


def submit(browser: httpx.Client, path: str, data: dict[str, str]) -> httpx.Response:
    headers = {"X-CSRFToken": browser.cookies["console_csrf"], "Origin": str(browser.base_url).rstrip("/")}
    return browser.post(path, data=data, headers=headers)
