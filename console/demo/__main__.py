"""`make demo`: start a local PingOne and the console in one terminal, and stop both completely at the end.

Needs no settings: it writes the demo's settings itself.
"""

import argparse
import base64
import contextlib
import fcntl
import http.client
import json
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import quote

from console.demo.mails import Mails, deliver
from console.demo.people import PASSWORD, PEOPLE
from console.demo.processes import Children, DemoFailed
from console.demo.stories import STORIES, told, told_of_recovery

ROOT = Path(__file__).resolve().parent.parent.parent
MANAGE = [sys.executable, "manage.py"]
START_TIMEOUT_S = 120
OUTBOX = "/sandbox/outbox/"
RESET = "/accounts/password/reset/"
NAMES = ("localhost", "127.0.0.1")  # the first one is printed
NOT_FROM_THE_SHELL = frozenset({"DJANGO_SETTINGS_MODULE", "GUNICORN_CMD_ARGS", "SANDBOX_URL", "SANDBOX_DATABASE"})


@contextlib.contextmanager
def only_one(directory: Path) -> Iterator[None]:
    """Lock the directory: two demos would change each other's data."""
    with (directory / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DemoFailed(f"The demo in {directory} is already running.") from None
        yield


def check_port(port: int, ports: argparse.Namespace) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            others = f"PORT={ports.port + 1} SANDBOX_PORT={ports.sandbox_port + 1}"
            raise DemoFailed(f"Port {port}: {error.strerror}. Use other ports: make demo {others}") from None


def write_environment(directory: Path, port: int, sandbox_port: int) -> dict[str, str]:
    """Write every setting, so that neither a .env nor the shell decides any. The two secrets are made once and kept."""
    path = directory / "env"
    kept = dict(line.split("=", 1) for line in path.read_text().splitlines()) if path.exists() else {}
    sandbox = f"http://127.0.0.1:{sandbox_port}"
    addresses = [f"http://{name}:{port}" for name in NAMES]
    settings = {
        "DJANGO_SETTINGS_MODULE": "console.demo.settings",
        "SECRET_KEY": kept.get("SECRET_KEY") or secrets.token_urlsafe(50),
        "CREDENTIAL_KEYS": kept.get("CREDENTIAL_KEYS") or base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "PUBLIC_URL": addresses[0],
        "DATABASE_URL": f"sqlite:///{directory / 'console.sqlite3'}",
        "CACHE_URL": "dbcache://console_cache",
        "EMAIL_URL": f"filemail:///{quote(str(directory / 'mail'))}",
        "DEFAULT_FROM_EMAIL": "console@localhost",
        "ALLOWED_HOSTS": ",".join(NAMES),
        "CSRF_TRUSTED_ORIGINS": ",".join(addresses),
        "TRUSTED_PROXIES": "",
        "PINGONE_CUSTOM_HOSTS": f"{sandbox}={sandbox}",
        "SECOND_FACTOR_DEMANDED": "False",  # the passwords are published anyway
        "DEBUG": "False",
        "BIND": f"127.0.0.1:{port}",
        "WEB_CONCURRENCY": "2",
        "WEB_THREADS": "64",
    }
    (directory / "mail").mkdir(mode=0o700, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    return settings


def wait_for_sandbox(children: Children, ready_file: Path) -> dict[str, Any]:
    """Return the connection that the sandbox writes to the file once it listens."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while not ready_file.exists():
        pause(children, deadline, "the local PingOne")
    connection: dict[str, Any] = json.loads(ready_file.read_text())
    return connection


def wait_for_console(children: Children, port: int) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while not is_ready(port):
        pause(children, deadline, "the console")


def pause(children: Children, deadline: float, name: str) -> None:
    children.check()
    if time.monotonic() > deadline:
        raise DemoFailed(f"Timed out after {START_TIMEOUT_S} s waiting for {name}. See {children.directory}/*.log")
    time.sleep(0.05)


def is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz", headers={"Host": "localhost"})
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def serve(children: Children, options: argparse.Namespace) -> None:
    """Start everything, print how to sign in, and watch until a process ends."""
    shell = {name: value for name, value in os.environ.items() if name not in NOT_FROM_THE_SHELL}
    settings = shell | write_environment(options.directory, options.port, options.sandbox_port)
    ready_file = options.directory / "sandbox.json"
    ready_file.unlink(missing_ok=True)
    callbacks = [f"http://{name}:{options.port}/connect/callback/" for name in NAMES]
    children.start(
        "sandbox",
        [
            *MANAGE,
            "sandbox",
            "--quiet",
            *("--port", str(options.sandbox_port)),
            *(word for callback in callbacks for word in ("--redirect-uri", callback)),
            *("--database", str(options.directory / "sandbox.sqlite3")),
            *("--ready-file", str(ready_file)),
        ],
        shell,
    )
    children.run("migrate", [*MANAGE, "migrate", "--noinput"], settings)
    sandbox = wait_for_sandbox(children, ready_file)
    report = options.directory / "connections.txt"
    connect = "--disconnect" if options.fresh else "--connect"
    children.run("seed", [*MANAGE, "seed_demo", connect, "--report", str(report), str(ready_file)], settings)
    children.start("console", [sys.executable, "-m", "gunicorn", "console.wsgi"], settings)
    children.start("worker", [*MANAGE, "worker"], settings)
    wait_for_console(children, options.port)
    mails = Mails(options.directory / "mail")  # not those of an earlier start
    say_how_to_get_in(options, sandbox, report.read_text())
    while True:
        children.check()
        for mail in mails.new():
            print(f"\n{mail}", flush=True)
            deliver(mail, f"{sandbox['url']}{OUTBOX}")
        time.sleep(0.2)


def say_how_to_get_in(options: argparse.Namespace, sandbox: dict[str, Any], report: str) -> None:
    administrator = sandbox["administrators"][0]
    console, outbox = f"http://{NAMES[0]}:{options.port}", f"{sandbox['url']}{OUTBOX}"
    stories = "".join(f"  {number}. {told(story, outbox=outbox)}\n" for number, story in enumerate(STORIES, 1))
    print(
        f"""
The console:  {console}/

Sign in with the password  {PASSWORD}  as one of:
(A real server asks for a second factor as well. The demo does not.)
{"".join(f"  {person.email:20} {person.about}{os.linesep}" for person in PEOPLE)}
Five calls to take as agent@acme.test, under Users:
{stories}
Nobody at the helpdesk is needed for this one:
  {told_of_recovery(console=console, outbox=outbox)}

Forgot the password? Use {console}{RESET}
Links in mails of the console, such as this one, are printed here. All mails are at {outbox}

{report}
To connect, sign in as an org admin, open Settings > PingOne and press Connect. At the local PingOne, sign in with the
password  {administrator["password"]}  as  {administrator["username"]}

The local PingOne: {sandbox["url"]}/   Logs: {options.directory}/*.log   Ctrl-C stops everything.
Break the connection and see how the console explains it: {sandbox["url"]}/sandbox/faults/""",
        flush=True,
    )


def leave(signal_number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + signal_number)


def main() -> int:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--fresh", action="store_true", help="begin with organizations that are not connected")
    parser.add_argument("--sandbox-port", type=int, default=9100)
    parser.add_argument("--directory", type=Path, default=ROOT / "var" / "demo", help="where the demo keeps its data")
    options = parser.parse_args()
    options.directory = options.directory.resolve()
    options.directory.mkdir(parents=True, exist_ok=True)
    for signal_number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signal_number, leave)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a script's background job would ignore Ctrl-C
    try:
        with only_one(options.directory):
            for port in (options.port, options.sandbox_port):
                check_port(port, options)
            children = Children(options.directory, ROOT)
            try:
                serve(children, options)
            finally:
                children.stop()
    except DemoFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. The data is kept in", options.directory)
    return 0


if __name__ == "__main__":
    sys.exit(main())
