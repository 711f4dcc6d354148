"""`python -m tests.support.upgrade COMMIT`: an upgrade from that commit to this tree while operators work.

The old code, in an environment of its own lock, serves on a socket that outlives it, as systemd holds one. The new code
migrates while the old one serves; then the old processes end, and the new ones serve on the same socket. Every request
has to succeed, and every action that was answered has to be in an audit log that holds. On SQLite, or on DATABASE_URL,
an empty database.
"""

import html
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Event, Lock, Thread
from urllib.parse import urlsplit

import httpx

from console.demo.__main__ import write_environment
from console.demo.people import PASSWORD
from tests.support.console_server import callback_address, connect, free_port, submit
from tests.support.sandbox_server import ROOT, Sandbox, new_browser, running_sandbox

OPERATORS = 2
REQUESTS_A_PHASE = int(os.environ.get("REQUESTS_A_PHASE", "60"))
INPUT = re.compile(r'name="(\w+)"(?: [\w-]+="[^"]*")* value="([^"]*)"')


@dataclass(frozen=True)
class Release:
    """A version of the console that is laid out, with its own Python environment."""

    name: str
    tree: Path
    python: Path
    environment: dict[str, str]

    def start(self, *arguments: str, socket_number: int | None = None) -> subprocess.Popen[bytes]:
        log = (self.tree.parent / f"{self.name}.log").open("ab")
        passed = [] if socket_number is None else [socket_number]
        return subprocess.Popen(
            [str(self.python), *arguments],
            cwd=self.tree, env=self.environment, stdout=log, stderr=log, pass_fds=passed,
        )  # fmt: skip

    def manage(self, *arguments: str) -> None:
        if self.start("manage.py", *arguments).wait():
            raise SystemExit((self.tree.parent / f"{self.name}.log").read_text()[-3000:])


@dataclass
class Load:
    """Operators who read and act without a pause, and what they were answered in each phase."""

    url: str
    users: list[str]
    phase: str = ""
    answers: Counter[tuple[str, str]] = field(default_factory=Counter)
    actions: int = 0
    _stopped: Event = field(default_factory=Event)
    _lock: Lock = field(default_factory=Lock)

    @contextmanager
    def running(self) -> Iterator[None]:
        threads = [Thread(target=self._work, args=[user]) for user in self.users]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stopped.set()
            for thread in threads:
                thread.join()

    def during(self, phase: str, step: Callable[[], object] = lambda: None) -> None:
        """Do the step, and let the load go on until the phase has enough requests."""
        self.phase = phase
        step()
        deadline = time.monotonic() + 300
        while sum(count for (at, _), count in self.answers.items() if at == phase) < REQUESTS_A_PHASE:
            assert time.monotonic() < deadline, self.answers
            time.sleep(0.05)

    def _work(self, user: str) -> None:
        # A proxy opens a connection for each request, and so does this.
        with new_browser() as browser:
            browser.base_url = httpx.URL(self.url)
            browser.headers["Connection"] = "close"
            browser.timeout = httpx.Timeout(60)
            browser.get("/accounts/login/")
            submit(browser, "/accounts/login/", {"login": "admin@acme.test", "password": PASSWORD})
            while True:
                for key in ("user.deactivate", "user.activate"):
                    for path in ("/o/acme/users/", f"/o/acme/users/{user}/", "/o/acme/audit/"):
                        if self._stopped.is_set():
                            return
                        self._ask(path, partial(browser.get, path), 200)
                    self._act(browser, f"/o/acme/users/{user}/actions/{key}/", key)

    def _act(self, browser: httpx.Client, path: str, key: str) -> None:
        form = self._ask("form", lambda: browser.get(path), 200)
        hidden = {name: html.unescape(value) for name, value in INPUT.findall(form.text)} if form else {}
        if self._ask(key, lambda: submit(browser, path, hidden), 302):
            with self._lock:
                self.actions += 1

    def _ask(self, what: str, send: Callable[[], httpx.Response], expected: int) -> httpx.Response | None:
        phase = self.phase
        answer, problem = None, "answered"
        try:
            answer = send()
            if answer.status_code != expected:
                problem = f"{what}: {answer.status_code}"
        except httpx.HTTPError as error:
            problem = f"{what}: {type(error).__name__}"
        with self._lock:
            self.answers[phase, problem] += 1
        return answer if problem == "answered" else None


def lay_out(commit: str, directory: Path) -> tuple[Path, Path]:
    """Clone the commit and install its lock. Return its tree and its Python."""
    tree, venv = directory / "old", directory / "venv"
    subprocess.run(["git", "clone", "--quiet", "--no-checkout", ROOT, tree], check=True)
    subprocess.run(["git", "-C", tree, "checkout", "--quiet", commit], check=True)
    uv = Path(sys.executable).with_name("uv")
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, venv], check=True)
    python = venv / "bin" / "python"
    install: list[Path | str] = [uv, "pip", "install", "--quiet", "--require-hashes", "--python", python]
    subprocess.run([*install, "-r", tree / "requirements.txt"], check=True)
    return tree, python


def upgrade(commit: str, directory: Path) -> None:
    port = free_port()
    tree, python = lay_out(commit, directory)
    new_tree = directory / "new"
    new_tree.symlink_to(ROOT)
    with (
        socket.create_server(("127.0.0.1", port), backlog=128) as listener,
        running_sandbox(directory, "--users", "30", "--redirect-uri", callback_address(port)) as sandbox,
    ):
        settings = write_environment(directory, port, urlsplit(sandbox.url).port or 80)
        settings |= {"BIND": f"fd://{listener.fileno()}", "WEB_THREADS": "16"}
        if url := os.environ.get("DATABASE_URL"):
            settings["DATABASE_URL"] = url
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")} | settings
        releases = (
            Release("old", tree, python, environment),
            Release("new", new_tree, Path(sys.executable), environment),
        )
        _upgrade(*releases, listener.fileno(), f"http://localhost:{port}", sandbox, directory / "connection.json")


def _upgrade(old: Release, new: Release, listener: int, url: str, sandbox: Sandbox, connection: Path) -> None:
    old.manage("migrate", "--noinput")
    old.manage("createcachetable")  # a version that makes it in a migration leaves it alone
    old.manage("seed_demo", str(connection))

    def start(release: Release) -> list[subprocess.Popen[bytes]]:
        served = release.start("-m", "gunicorn", "console.wsgi", socket_number=listener)
        return [served, release.start("manage.py", "worker")]

    running = start(old)

    def restart() -> None:
        _end(running)
        running.extend(start(new))

    try:
        with new_browser() as browser:
            browser.base_url = httpx.URL(url)
            browser.timeout = httpx.Timeout(60)
            browser.get("/accounts/login/")
            submit(browser, "/accounts/login/", {"login": "admin@acme.test", "password": PASSWORD})
            connect(browser)
            found = re.findall(r"/o/acme/users/([0-9a-f-]{36})/", browser.get("/o/acme/users/").text)
        load = Load(url, list(dict.fromkeys(found))[-OPERATORS:])  # the first ones may be administrators
        print("new migrations:", _unapplied(new) or "none", flush=True)
        with load.running():
            load.during("old code, old tables")
            load.during("while the tables change", lambda: new.manage("migrate", "--noinput"))
            load.during("old code, new tables")
            load.during("restart", restart)
            load.during("new code")
        new.manage("verify_audit")
        _report(load, new)
    finally:
        _end(running)


def _unapplied(new: Release) -> str:
    shown = subprocess.run(
        [new.python, "manage.py", "showmigrations", "--plan"],
        cwd=new.tree, env=new.environment, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return ", ".join(re.findall(r"\[ \]\s+(\S+)", shown))


def _end(processes: list[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
    for process in processes:
        assert process.wait(40) in {0, -signal.SIGTERM}, process.args


def _report(load: Load, new: Release) -> None:
    for (phase, answer), count in load.answers.items():
        print(f"{phase:25} {answer}: {count}")
    counted = "from console.models import AuditEntry as E; print(E.objects.filter(action__in=['user.deactivate', "
    counted += "'user.activate']).exclude(outcome__in=['started', 'failed', 'unknown']).count())"
    on_record = int(
        subprocess.run(
            [new.python, "manage.py", "shell", "--no-imports", "--command", counted],
            cwd=new.tree,
            env=new.environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    )
    print(f"actions answered: {load.actions}, on record: {on_record}; the audit log's chain holds")
    lost = sum(count for (_, answer), count in load.answers.items() if answer != "answered")
    if lost or on_record != load.actions:
        raise SystemExit(f"{lost} requests were lost")
    print("no request was lost")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="upgrade-") as name:
        upgrade(sys.argv[1], Path(name))
