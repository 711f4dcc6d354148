"""Recovery and an operator's sign-in over TLS: the console on gunicorn with a certificate, as a browser sees it."""

import http.client
import json
import ssl
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from console.demo.__main__ import MANAGE, START_TIMEOUT_S, pause, write_environment
from console.demo.people import PASSWORD
from console.demo.processes import Children
from tests.support import migrated
from tests.support.browser import PHONE, NewPage, press
from tests.support.console_server import FILL, free_port
from tests.support.presses import Person, new_person, with_locked_password
from tests.support.private_ca import PrivateCa, make_private_ca
from tests.support.sandbox_server import ROOT, Sandbox

NEW_PASSWORD = "Better-Horse-2"
CONNECT = FILL.replace("{connection!r})", "{connection!r}, connect=True)")
WORK = """
from console.models import RecoveryAttempt
from console.recovery import codes, look_up
look_up.run_due()
print(codes.code_of(RecoveryAttempt.objects.get(code_sent=True)))
"""


@dataclass
class Server:
    """A console over TLS."""

    url: str
    children: Children
    environment: dict[str, str]

    def code(self) -> str:
        """Let a worker send the code of the only attempt, and return it."""
        self.children.run("work", [*MANAGE, "shell", "--no-imports", "--command", WORK], self.environment)
        return self.children.log("work").read_text().split()[-1]


@pytest.fixture
def server(tmp_path: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    port, ca = free_port(), make_private_ca(tmp_path)
    url = f"https://localhost:{port}"
    callback = json.dumps([f"{url}/connect/callback/"])
    client_id = sandbox.copy("sandbox_application", sandbox.details["client_id"], redirect_uris=callback)
    details = tmp_path / "connection.json"
    details.write_text(json.dumps(sandbox.details | {"client_id": str(client_id)}))
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)
    environment = write_environment(tmp_path, port, int(sandbox.url.rpartition(":")[2])) | {
        "PUBLIC_URL": url,
        "CSRF_TRUSTED_ORIGINS": url,
        "GUNICORN_CMD_ARGS": f"--certfile {ca.server} --keyfile {ca.server} --workers 1",
    }
    migrated.copy_to(tmp_path / "console.sqlite3")
    children = Children(tmp_path, ROOT)
    try:
        filled = CONNECT.format(connection=str(details))
        children.run("fill", [*MANAGE, "shell", "--no-imports", "--command", filled], environment)
        children.start("console", [sys.executable, "-m", "gunicorn", "console.wsgi"], environment)
        wait_for(children, port, ca)
        yield Server(url, children, environment)
    finally:
        children.stop()


def wait_for(children: Children, port: int, ca: PrivateCa) -> None:
    deadline, trusted = time.monotonic() + START_TIMEOUT_S, ssl.create_default_context(cafile=ca.bundle)
    while not is_ready(port, trusted):
        pause(children, deadline, "the console")


def is_ready(port: int, trusted: ssl.SSLContext) -> bool:
    with closing(http.client.HTTPSConnection("localhost", port, timeout=5, context=trusted)) as connection:
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except ConnectionRefusedError:
            return False


@pytest.fixture
def leo(sandbox: Sandbox, administrator: httpx.Client) -> Person:
    person = new_person(sandbox, administrator)
    with_locked_password(person)
    sandbox.sql("UPDATE sandbox_user SET email_verified = 1 WHERE id = ?", person.id)
    return person


def cookies_of(page: Page) -> dict[str, str]:
    """Return the cookies by name. Each is of this host alone, for all of it, and never sent without TLS."""
    found = page.context.cookies()
    assert {(one["secure"], one["path"], one["domain"]) for one in found} == {(True, "/", "localhost")}
    assert all(one["name"].startswith("__Host-") for one in found)
    return {one["name"]: one["value"] for one in found}


def opens_with(new_page: NewPage, url: str, cookies: dict[str, str]) -> Page:
    """Open a page with cookies that a plain connection, or a neighbor of the host, could have set."""
    page = new_page(ignore_https_errors=True)
    page.context.add_cookies([{"name": name, "value": value, "url": url} for name, value in cookies.items()])
    page.goto(url)
    return page


def test_sessions_over_tls_are_bound_to_the_host(server: Server, leo: Person, new_page: NewPage) -> None:
    """With JavaScript, on a phone. test_recovering.py goes the same way without."""
    page = new_page(ignore_https_errors=True, viewport=PHONE)
    page.goto(f"{server.url}/recover/acme/")
    press(page, "Deutsch")
    press(page, "English")
    page.get_by_label("Username or email address").fill(leo.username)
    press(page, "Email me a code")
    expect(page.get_by_role("heading", name="Enter the code")).to_be_visible()
    page.get_by_label("Code from the email").fill(server.code())
    press(page, "Continue")
    expect(page.get_by_role("heading", name="What do you need?")).to_be_visible()

    proven = cookies_of(page)
    assert {"__Host-recovery", "__Host-console_csrf", "__Host-user_language"} <= proven.keys()
    planted = opens_with(new_page, f"{server.url}/recover/acme/", {"recovery": proven["__Host-recovery"]})
    expect(planted.get_by_label("Username or email address")).to_be_visible()

    press(page, "Choose a new password")
    for label in ("New password", "New password once more"):
        page.get_by_label(label, exact=True).fill(NEW_PASSWORD)
    press(page, "Set new password")
    expect(page.get_by_text("Your new password is set.")).to_be_visible()
    assert leo.ask("/password")["status"] == "OK"

    page.goto(f"{server.url}/accounts/login/")
    page.get_by_label("Email").fill("agent@acme.test")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    press(page, "Sign in")
    expect(page.get_by_role("heading", name="Acme", level=1)).to_be_visible()
    session = cookies_of(page)["__Host-console_session"]
    stolen = opens_with(new_page, f"{server.url}/o/acme/", {"console_session": session})
    expect(stolen).to_have_url(f"{server.url}/accounts/login/?next=/o/acme/")
