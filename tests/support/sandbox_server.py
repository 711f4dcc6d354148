"""A sandbox in a separate process, and a scripted browser that signs in to it."""

import json
import os
import sqlite3
import ssl
import subprocess
import sys
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from secrets import token_urlsafe
from typing import Any
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit
from uuid import UUID, uuid4

import httpx

from tests.support.patience import patience

ROOT = Path(__file__).parent.parent.parent
CSRF_TOKEN = "x" * 32
DEFAULT_OPTIONS = {"remove-role": {"administrator": "ada.admin"}}
_NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def new_browser() -> httpx.Client:
    """Return a browser without cookies. It does not load the machine's certificates, which takes 0.1 s."""
    return httpx.Client(timeout=20, verify=_NO_CERTIFICATES)


@dataclass(frozen=True, kw_only=True)
class Sandbox:
    """A running sandbox. `details` is the output of `manage.py sandbox --print-connection`."""

    url: str
    details: dict[str, Any]
    database: Path

    @property
    def issuer(self) -> str:
        """Return the issuer of the environment where administrators sign in."""
        return f"{self.url}/{self.details['environment_id']}/as"

    def token(self, username: str = "ada.admin", *, for_everybody: bool = False) -> str:
        """Get an access token for an administrator as a console does: sign-in, consent, code, token.

        `for_everybody`: by an application without Admin only access, which not every administrator role passes.
        """
        client_id = self.details["client_id"]
        if for_everybody:
            client_id = str(self.copy("sandbox_application", client_id, admin_users_only=False))
        redirect_uri = self.details["redirect_uris"][0]
        verifier = token_urlsafe(48)
        query = {
            "response_type": "code",
            "client_id": client_id,
            "redirect_uri": redirect_uri,
            "scope": "openid",
            "code_challenge": urlsafe_b64encode(sha256(verifier.encode()).digest()).decode().rstrip("="),
            "code_challenge_method": "S256",
        }
        back = sign_on(f"{self.issuer}/authorize?{urlencode(query)}", username, self.details["user_password"])
        form = {
            "grant_type": "authorization_code",
            "code": parse_qs(urlsplit(back).query)["code"][0],
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        with new_browser() as client:
            secret = (client_id, self.details["client_secret"])
            reply = client.post(f"{self.issuer}/token", data=form, auth=secret).raise_for_status()
        return str(reply.json()["access_token"])

    def api(self, token: str, environment_id: str = "") -> httpx.Client:
        """Open a client of the management API with this token, by default below the managed environment."""
        environment_id = environment_id or self.details["managed_environment_id"]
        client = new_browser()
        client.base_url = httpx.URL(f"{self.url}/v1/environments/{environment_id}/")
        client.headers["Authorization"] = f"Bearer {token}"
        return client

    def sql(self, statement: str, *values: object) -> list[dict[str, Any]]:
        """Read or change data in the database that no PingOne API exposes. IDs are 32 hexadecimal digits."""
        with closing(sqlite3.connect(self.database, timeout=20, isolation_level=None)) as connection:
            connection.row_factory = sqlite3.Row
            stored = [value.hex if isinstance(value, UUID) else value for value in values]
            return [dict(row) for row in connection.execute(statement, stored)]

    def fault(
        self,
        effect: str,
        *,
        on: str = "api",
        path: str = "",
        methods: str = "",
        seconds: float = 0,
        retry_after: str = "",
        times: int | None = None,
    ) -> None:
        """Let requests fail from now on. If several faults match a request, the first one applies.

        `effect`: "latency" (processed at once, answered after `seconds`), "hang" (not processed, the connection closed
        after `seconds`), "reset" (TCP reset, not processed), "answer-lost" (processed, then a reset), "slow-body"
        (the answer takes `seconds` to send), "405", "429", "500", "502", "503", "504", "html", "cut-json", "huge"; with
        on="token" also an OAuth error such as "invalid_grant". Full list: EFFECTS in the sandbox's faults/effects.py.
        `on`: "api" (/v1/...), "token", "sign-on" (the rest below /{environment}/as/) or "all".
        `path`: only paths that contain this text. `methods`: only these, such as "POST,PUT".
        `retry_after`: the Retry-After header of an error status. `times`: number of requests, or None for all until
        `mend`.
        """
        given = {"effect": effect, "on": on, "path": path, "methods": methods, "seconds": seconds}
        self._control("fault", given | {"retry_after": retry_after, "times": "" if times is None else times})

    def change(self, name: str, **options: str) -> None:
        """Change the sandbox without the console.

        "revoke-grants" (`administrator`: only theirs), "rotate-secret", "remove-role" (`administrator`, by default
        ada.admin), "delete-environment" (the managed environment), "no-unlock", "jwt-refresh-tokens", "grace-period"
        (`seconds`). Full list: CHANGES in the sandbox's faults/changes.py.
        """
        self._control(name, DEFAULT_OPTIONS.get(name, {}) | options)

    def mend(self) -> None:
        """End every fault and undo every change. Revoked grants stay revoked."""
        self._control("mend", {})

    @contextmanager
    def broken(self, effect: str, **as_fault: Any) -> Iterator[None]:
        """Set a fault for the block, then end every fault and undo every change."""
        self.fault(effect, **as_fault)
        try:
            yield
        finally:
            self.mend()

    def _control(self, name: str, fields: dict[str, Any]) -> None:
        """Submit the control page's form with a CSRF cookie, without loading the page first."""
        form = {"control": name, "csrfmiddlewaretoken": CSRF_TOKEN, **fields}
        with new_browser() as client:
            client.cookies.set("sandbox_csrf", CSRF_TOKEN)
            page = client.post(f"{self.url}/sandbox/faults/", data=form)
        assert page.has_redirect_location, f"{name} {fields} was refused: {page.text}"

    def copy(self, table: str, of: str, **changes: object) -> UUID:
        """Insert a copy of a row with a new ID, so that a test can change the copy freely."""
        row = self.sql(f"SELECT * FROM {table} WHERE id = ?", UUID(of))[0]  # noqa: S608 - names of our own tables
        new_id = uuid4()
        row.update(changes, id=new_id)
        columns, marks = ", ".join(f'"{name}"' for name in row), ", ".join("?" for _ in row)
        self.sql(f"INSERT INTO {table} ({columns}) VALUES ({marks})", *row.values())  # noqa: S608
        return new_id

    def pair_device(self, user_id: UUID, *, kind: str = "EMAIL", locked: bool = True, phone: str = "") -> UUID:
        """Insert a device, paired long ago by the user. By default locked, as after too many codes."""
        device_id, now = uuid4(), "2026-05-18 10:00:31"
        self.sql(
            """INSERT INTO sandbox_device (id, user_id, type, status, nickname, details, otp, locked, blocked, position,
               created_at, updated_at) VALUES (?, ?, ?, 'ACTIVE', '', ?, '', ?, 0, 0, ?, ?)""",
            *(device_id, user_id, kind, json.dumps({"phone": phone} if phone else {}), locked, now, now),
        )
        return device_id

    def begin_session(self, user_id: UUID) -> UUID:
        """Insert a session, as if the user had signed in."""
        session_id, now = uuid4(), _now()
        self.sql(
            "INSERT INTO sandbox_session (id, user_id, created_at, active_at, details) VALUES (?, ?, ?, ?, '{}')",
            *(session_id, user_id, now, now),
        )
        return session_id


def _now() -> str:
    return datetime.now(UTC).replace(tzinfo=None).isoformat(sep=" ")


@contextmanager
def running_sandbox(directory: Path, *options: str) -> Iterator[Sandbox]:
    """Run a sandbox with a new database in `directory`, on a free port."""
    database, ready_file = directory / "sandbox.sqlite3", directory / "connection.json"
    command = [sys.executable, str(ROOT / "manage.py"), "sandbox", "--port", "0", "--quiet"]
    command += ["--database", str(database), "--ready-file", str(ready_file), *options]
    environment = {key: value for key, value in os.environ.items() if key != "DJANGO_SETTINGS_MODULE"}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            with patience(process.kill, "The start of a sandbox"):
                line = process.stdout.readline()
            assert "listening" in line, f"the sandbox did not start: {line!r}"
            details = json.loads(ready_file.read_text())
            yield Sandbox(url=details["url"], details=details, database=database)
        finally:
            process.terminate()
            with patience(process.kill, "The end of a sandbox"):
                process.wait()


class Form(HTMLParser):
    """The form of a page, with its current values."""

    def __init__(self, page: httpx.Response) -> None:
        super().__init__()
        self.page = page
        self.target = str(page.url)
        self.fields: dict[str, str] = {}
        self.buttons: set[str] = set()
        self.feed(page.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.target = urljoin(self.target, values.get("action", ""))
        elif tag == "input":
            self.fields[values["name"]] = values.get("value", "")
        elif tag == "button":
            self.buttons.add(values["value"])

    def submit(self, browser: httpx.Client, button: str, **typed: str) -> httpx.Response:
        """Fill in the form and press a button. The caller follows a redirect."""
        assert button in self.buttons, f"{self.page.url} has no button {button!r}: {self.page.text}"
        assert set(typed) <= set(self.fields)
        return browser.post(self.target, data={**self.fields, **typed, "action": button})


def sign_on(
    authorize_url: str,
    username: str = "ada.admin",
    password: str = "Sandbox-2026!",
    *,
    browser: httpx.Client | None = None,
    answer: str = "allow",
) -> str:
    """Sign in and approve as a person does after Connect, and return the address of the final redirect.

    `answer`: "allow" or "cancel" on the page after the sign-in. A `browser` keeps its session for the next call. The
    final address is not requested.
    """
    if browser is None:
        with new_browser() as once:
            return sign_on(authorize_url, username, password, browser=once, answer=answer)
    page = browser.get(authorize_url)
    for _ in range(12):  # requests; a successful flow takes seven
        if page.has_redirect_location:
            target = page.url.join(page.headers["Location"])
            if target.netloc != page.url.netloc:
                return str(target)
            page = browser.get(target)
            continue
        form = Form(page)
        if "sign_on" not in form.buttons:
            page = form.submit(browser, answer)
        else:
            page = form.submit(browser, "sign_on", username=username, password=password)
            assert page.has_redirect_location, f"{username} was not let in: {page.text}"
    raise AssertionError(f"{username} goes in circles at {page.url}")


def code_mailed_to(sandbox: Sandbox, address: str) -> str:
    """Return the newest code emailed to the address."""
    body = sandbox.sql('SELECT body FROM sandbox_mail WHERE "to" = ? ORDER BY id DESC LIMIT 1', address)[0]["body"]
    return str(body).split(" is ")[1][:8]
