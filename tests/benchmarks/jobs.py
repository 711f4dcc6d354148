"""Jobs at the rate that PingOne allows: how much of it they use, what is refused, and what pages feel of it.

    python -m tests.benchmarks.jobs [--rows 10000] [--license 100] [--workers 2] [--database postgres://...]

The local PingOne stands behind a relay that counts the calls of each second and answers 429 above the limit of one
address. One job runs while nobody is at work, then another while an operator loads the list of users. Exits with 1 if a
budget is exceeded. Use a license's rate so low that the machine is not the limit.
"""

import argparse
import json
import statistics
import sys
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from subprocess import run
from tempfile import TemporaryDirectory
from threading import Lock, Thread
from typing import Any

import httpx

from console.demo.__main__ import MANAGE
from tests.support.console_server import ConsoleServer, callback_address, free_port, running_console
from tests.support.sandbox_server import ROOT, Sandbox, new_browser, running_sandbox

LIST = "/o/acme/users/?limit=25"
SHARE, ALL_BUT_A_RESERVE, HALF = 0.35, 0.9, 0.5  # of the license; of that, for jobs
LEAST_USED, MOST_REFUSED, MOST_SLOWER = 0.98, 0.001, 1.2
KEPT = ("Authorization", "Accept", "Content-Type", "X-Ping-External-Transaction-ID")

# Creates a job on all of the listed users, waits for its preview, starts it and waits for its end.
DRIVE = """
import json, sys, time
from allauth.usersessions.models import UserSession
from django.db.models import Count
from django.utils import timezone
from console.access import enter_org
from console.actions.catalogue import BY_KEY
from console.audit.entries import Circumstances
from console.jobs import control, drafts
from console.jobs.listed import KeyKind, ListedRow
from console.models import AuditEntry, Job, Operator
from pingone_integration.models import Connection
names, title, license, is_alone = json.load(open({path!r}))
Connection.objects.update(licensed_calls=license)
if is_alone:
    UserSession.objects.all().delete()
access = enter_org(Operator.objects.get(email="admin@acme.test"), "acme")
rows = (ListedRow(number=n, key=name, values={{"title": title}}) for n, name in enumerate(names, start=1))
job = drafts.create(access, BY_KEY["user.update"], rows, key_kind=KeyKind.USERNAME, source=Job.Source.FILE)
def wait(state):
    while Job.objects.get(pk=job.pk).state != state:
        time.sleep(0.5)
control.start_dry_run(access, job)
wait("previewed")
job.refresh_from_db()
control.start(access, job, Circumstances(reason="Benchmark", signed_in_at=timezone.now()))
began = time.time()
wait("finished")
job.refresh_from_db()
states = dict(job.rows.order_by().values_list("state").annotate(n=Count("pk")))
twice = AuditEntry.objects.filter(action="user.update", revision=0, at__gte=job.started_at)
twice = twice.values("subject_id").annotate(n=Count("pk")).filter(n__gt=1).count()
print(json.dumps({{"began": began, "ended": job.finished_at.timestamp(), "states": states, "twice": twice}}))
"""


@dataclass
class Relay:
    """A relay in front of the sandbox's API. `calls`: when each call came, and whether it was refused with 429."""

    limit: int  # calls within a second
    url: str = ""
    calls: list[tuple[float, bool]] = field(default_factory=list)
    lately: deque[float] = field(default_factory=deque)
    lock: Lock = field(default_factory=Lock)

    def admits(self) -> bool:
        now = time.time()
        with self.lock:
            while self.lately and self.lately[0] <= now - 1:
                self.lately.popleft()
            is_refused = len(self.lately) >= self.limit
            if not is_refused:
                self.lately.append(now)
            self.calls.append((now, is_refused))
        return not is_refused

    def between(self, began: float, ended: float) -> list[bool]:
        """Return for each call of this time whether it was refused."""
        return [refused for at, refused in self.calls if began <= at <= ended]


@contextmanager
def relay_to(sandbox: Sandbox, limit: int) -> Iterator[Relay]:
    relay = Relay(limit)
    with new_browser() as upstream:

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                sent = self.rfile.read(length) if length else None
                if not relay.admits():
                    self.reply(httpx.Response(429, json={"code": "REQUEST_LIMITED"}, headers={"Retry-After": "1"}))
                    return
                headers = {name: self.headers[name] for name in KEPT if name in self.headers}
                self.reply(upstream.request(self.command, sandbox.url + self.path, headers=headers, content=sent))

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815 - named by http.server

            def reply(self, answer: httpx.Response) -> None:
                self.send_response(answer.status_code)
                for name in ("Content-Type", "Retry-After"):
                    if name in answer.headers:
                        self.send_header(name, answer.headers[name])
                self.send_header("Content-Length", str(len(answer.content)))
                self.end_headers()
                self.wfile.write(answer.content)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named by http.server
                """Log nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        relay.url = f"http://127.0.0.1:{server.server_port}"
        Thread(target=server.serve_forever, daemon=True).start()
        yield relay
        server.shutdown()
        server.server_close()


def drive(console: ConsoleServer, directory: Path, *, names: list[str], title: str, license: int, alone: bool) -> Any:  # noqa: A002
    """Run a job to its end. Return when it began and ended, and what became of its rows."""
    path = directory / f"{title}.json"
    path.write_text(json.dumps([names, title, license, alone]))
    command = [*MANAGE, "shell", "--no-imports", "--command", DRIVE.format(path=str(path))]
    ended = run(command, cwd=ROOT, env=console.environment, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise SystemExit(ended.stderr)
    return json.loads(ended.stdout.splitlines()[-1])


def p95_of_list(browser: httpx.Client, is_over: Any) -> float:
    """Load the list of users once a second. Return the 95th percentile in seconds."""
    taken: list[float] = []
    while len(taken) < 20 or not is_over():
        started = time.perf_counter()
        browser.get(LIST).raise_for_status()
        taken.append(time.perf_counter() - started)
        time.sleep(max(0.0, 1 - taken[-1]))
    return statistics.quantiles(taken, n=20)[-1]


def told(what: str, value: float, budget: float, *, at_least: bool = False) -> bool:
    is_kept = value >= budget if at_least else value <= budget
    print(f"{what:<60} {value:>9.4f}   budget {budget:g}   {'ok' if is_kept else 'EXCEEDED'}")
    return is_kept


def judged(job: Any, relay: Relay, rows: int, part: float) -> list[bool]:
    """Print how a job did, and return whether each budget was kept."""
    calls = relay.between(job["began"], job["ended"])
    allowed = int(relay.limit * part) * (job["ended"] - job["began"])
    others = {state: count for state, count in job["states"].items() if state != "done"}
    print(f"{len(calls)} calls in {job['ended'] - job['began']:.0f} s; rows that are not done: {others or 'none'}")
    return [
        told("part of the calls that jobs may make", len(calls) / allowed, LEAST_USED, at_least=True),
        told("part of the calls answered 429", sum(calls) / len(calls), MOST_REFUSED),
        told("rows lost", rows - job["states"].get("done", 0), 0),
        told("rows done twice", job["twice"], 0),
    ]


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--license", type=int, default=100, help="calls a second of the whole license")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--database", default="", help="DATABASE_URL of an empty PostgreSQL; SQLite without it")
    options = parser.parse_args()
    port = free_port()
    with TemporaryDirectory() as name:
        directory = Path(name)
        sandbox_options = ("--users", str(options.rows + 10), "--redirect-uri", callback_address(port))
        limit = int(options.license * SHARE)
        with running_sandbox(directory, *sandbox_options) as sandbox, relay_to(sandbox, limit) as relay:
            settings = {"PINGONE_CUSTOM_HOSTS": f"{sandbox.url}={relay.url}"}
            settings |= {"DATABASE_URL": options.database} if options.database else {}
            relay.limit = 1_000_000  # until the console knows the license
            with running_console(directory, port, sandbox, **settings) as console, console.browser() as browser:
                relay.limit = limit
                return _run(options, directory, sandbox, relay, console, browser)


def _run(
    options: argparse.Namespace,
    directory: Path,
    sandbox: Sandbox,
    relay: Relay,
    console: ConsoleServer,
    browser: httpx.Client,
) -> int:
    environment = sandbox.details["managed_environment_id"].replace("-", "")
    users = sandbox.sql(
        "SELECT username_key AS username FROM sandbox_user "
        "WHERE environment_id = ? AND username_key GLOB '*.*[0-9]' LIMIT ?",
        environment,
        options.rows,
    )
    names = [user["username"] for user in users]
    for number in range(options.workers):
        console.children.start(f"worker{number}", [*MANAGE, "worker"], console.environment)
    alone = drive(console, directory, names=names, title="First", license=options.license, alone=True)
    kept = judged(alone, relay, len(names), ALL_BUT_A_RESERVE)
    quiet = p95_of_list(browser, lambda: True)
    with ThreadPoolExecutor(1) as thread:
        beside = thread.submit(
            drive, console, directory, names=names, title="Second", license=options.license, alone=False
        )
        busy = p95_of_list(browser, beside.done)
    calls = relay.between(beside.result()["began"], beside.result()["ended"])
    print(f"beside an operator: {len(calls)} calls, {sum(calls)} of them answered 429")
    kept.append(told("list page, p95 beside a job over p95 alone", busy / quiet, MOST_SLOWER))
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
