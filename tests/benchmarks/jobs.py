"""Jobs at the rate that PingOne allows: how much of it they use, what is refused, and what pages feel of it.

    .ci/with-postgres .venv/bin/python -m tests.benchmarks.jobs [--rows 10000] [--license 60] [--workers 2]

On SQLite, then on the PostgreSQL of DATABASE_URL, if it is set, which must be empty. The local PingOne stands behind a
relay that counts the calls of each second, wherever that begins, and answers 429 above the limit of one address. One
job runs while nobody is at work, then one of a tenth of the rows while an operator loads the list of users. Exits with
1 if a promise is missed. Use a license's rate so low that the machine is not the limit. With 10,000 rows and a
license of 60 calls a second, each database takes about an hour.
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
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
SHARE, ALL_BUT_A_RESERVE = 0.35, 0.9  # of the license; of that, for jobs
BESIDE, PAGES = 100, 60  # rows of the job beside an operator, at least; loads of the list
LEAST_USED, MOST_REFUSED, MOST_SLOWER = 0.98, 0.001, 1.2
KEPT = ("Authorization", "Accept", "Content-Type", "X-Ping-External-Transaction-ID")

# Creates a job on all of the listed users, waits for its preview, starts it and waits for its end.
DRIVE = """
import json, sys, time
from allauth.usersessions.models import UserSession
from django.db.models import Count, Min
from django.utils import timezone
from console.access import enter_org
from console.actions.catalogue import BY_KEY
from console.audit.entries import Circumstances
from console.jobs import control, drafts
from console.jobs.listed import KeyKind, ListedRow
from console.models import Job, Operator
names, title, is_alone = json.load(open({path!r}))
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
wait("finished")
job.refresh_from_db()
states = dict(job.rows.order_by().values_list("state").annotate(n=Count("pk")))
began = job.rows.aggregate(first=Min("reached_at"))["first"].timestamp()
print(json.dumps({{"began": began, "ended": job.finished_at.timestamp(), "states": states}}))
"""


@dataclass
class Relay:
    """A relay in front of the sandbox's API. `calls`: when each call came, and whether it was refused with 429.

    `writes`: how often a write to each address took effect.
    """

    licensed: int  # calls a second of the whole license
    limit: int  # calls within a second that are passed on
    url: str = ""
    calls: list[tuple[float, bool]] = field(default_factory=list)
    writes: Counter[str] = field(default_factory=Counter)
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

    def with_its_license(self, capabilities: dict[str, Any]) -> dict[str, Any]:
        capabilities["licenseQuantities"]["rlgDirAccessRps"] = {"limit": self.licensed}
        return capabilities

    def between(self, began: float, ended: float) -> list[bool]:
        """Return for each call of this time whether it was refused."""
        return [refused for at, refused in self.calls if began <= at <= ended]


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a process that ends closes its connections."""


@contextmanager
def relay_to(sandbox: Sandbox, licensed: int, *, limit: int) -> Iterator[Relay]:
    relay = Relay(licensed, limit)
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
                answer = upstream.request(self.command, sandbox.url + self.path, headers=headers, content=sent)
                if self.command != "GET" and answer.is_success:
                    with relay.lock:
                        relay.writes[self.path] += 1
                if self.path.endswith("/capabilities"):
                    answer = httpx.Response(200, json=relay.with_its_license(answer.json()))
                self.reply(answer)

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

        server = Server(("127.0.0.1", 0), Handler)
        relay.url = f"http://127.0.0.1:{server.server_port}"
        Thread(target=server.serve_forever, daemon=True).start()
        yield relay
        server.shutdown()
        server.server_close()


def drive(console: ConsoleServer, directory: Path, *, names: list[str], title: str, alone: bool) -> Any:
    """Run a job to its end. Return when it began and ended, and what became of its rows."""
    path = directory / f"{title}.json"
    path.write_text(json.dumps([names, title, alone]))
    command = [*MANAGE, "shell", "--no-imports", "--command", DRIVE.format(path=str(path))]
    ended = run(command, cwd=ROOT, env=console.environment, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise SystemExit(ended.stderr)
    return json.loads(ended.stdout.splitlines()[-1])


def p95_of_list(browser: httpx.Client, is_over: Callable[[], bool]) -> float:
    """Load the list of users once a second. Return the 95th percentile in seconds."""
    taken: list[float] = []
    while len(taken) < PAGES and not is_over():
        started = time.perf_counter()
        browser.get(LIST).raise_for_status()
        taken.append(time.perf_counter() - started)
        time.sleep(max(0.0, 1 - taken[-1]))
    print(f"list of users, {len(taken)} times: median {statistics.median(taken):.3f} s, ", end="")
    p95 = statistics.quantiles(taken, n=20)[-1]
    print(f"p95 {p95:.3f} s", flush=True)
    return p95


@dataclass
class Promises:
    """The promises with what was measured, to be printed at the end."""

    lines: list[str] = field(default_factory=list)
    all_kept: bool = True

    def add(self, what: str, value: float, budget: float, *, at_least: bool = False) -> None:
        is_kept = value >= budget if at_least else value <= budget
        bound = "at least" if at_least else "at most"
        self.lines.append(f"{what:<55} {value:>8.4f}   {bound} {budget:<6g} {'ok' if is_kept else 'MISSED'}")
        self.all_kept &= is_kept
        print(self.lines[-1], flush=True)

    def judge(self, on: str, job: Any, relay: Relay, names: list[str]) -> None:
        calls = relay.between(job["began"], job["ended"])
        allowed = int(relay.limit * ALL_BUT_A_RESERVE) * (job["ended"] - job["began"])
        others = {state: count for state, count in job["states"].items() if state != "done"}
        print(
            f"{len(calls)} calls in {job['ended'] - job['began']:.0f} s; rows not done: {others or 'none'}", flush=True
        )
        self.add(
            f"{on}: part used of what jobs may take", (len(calls) - sum(calls)) / allowed, LEAST_USED, at_least=True
        )
        self.add(f"{on}: part of the calls answered 429", sum(calls) / len(calls), MOST_REFUSED)
        self.add(f"{on}: rows lost", len(names) - len(relay.writes), 0)
        self.add(f"{on}: rows done twice", sum(count > 1 for count in relay.writes.values()), 0)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--license", type=int, default=60, help="calls a second of the whole license")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    promises = Promises()
    measure("SQLite", options, promises, {})
    if url := os.environ.get("DATABASE_URL"):
        measure("PostgreSQL", options, promises, {"DATABASE_URL": url})
    print(*promises.lines, sep="\n")
    return 0 if promises.all_kept else 1


def measure(on: str, options: argparse.Namespace, promises: Promises, settings: dict[str, str]) -> None:
    port = free_port()
    limit = int(options.license * SHARE)
    sandbox_options = ("--users", str(options.rows + 10), "--redirect-uri", callback_address(port))
    with (
        TemporaryDirectory() as name,
        running_sandbox(Path(name), *sandbox_options) as sandbox,
        relay_to(sandbox, options.license, limit=1_000_000) as relay,  # until the console knows the license
        running_console(
            Path(name), port, sandbox, PINGONE_CUSTOM_HOSTS=f"{sandbox.url}={relay.url}", **settings
        ) as console,
    ):
        relay.limit = limit
        for number in range(options.workers):
            console.children.start(f"worker{number}", [*MANAGE, "worker"], console.environment)
        print(f"{on}:", flush=True)
        _measure(on, options, promises, Run(Path(name), sandbox, relay, console))


@dataclass(frozen=True)
class Run:
    directory: Path
    sandbox: Sandbox
    relay: Relay
    console: ConsoleServer

    def usernames(self, count: int) -> list[str]:
        environment = self.sandbox.details["managed_environment_id"].replace("-", "")
        users = self.sandbox.sql(
            "SELECT username_key AS username FROM sandbox_user "
            "WHERE environment_id = ? AND username_key GLOB '*.*[0-9]' LIMIT ?",
            environment,
            count,
        )
        return [user["username"] for user in users]


def _measure(on: str, options: argparse.Namespace, promises: Promises, the: Run) -> None:
    names = the.usernames(options.rows)
    alone = drive(the.console, the.directory, names=names, title="First", alone=True)
    promises.judge(on, alone, the.relay, names)
    with the.console.browser() as browser, ThreadPoolExecutor(1) as thread:  # an hour later: a session would be over
        quiet = p95_of_list(browser, lambda: False)
        some = names[: max(BESIDE, len(names) // 10)]
        beside = thread.submit(drive, the.console, the.directory, names=some, title="Second", alone=False)
        busy = p95_of_list(browser, beside.done)
        job = beside.result()
    calls = the.relay.between(job["began"], job["ended"])
    print(f"beside an operator: {len(calls)} calls, {sum(calls)} of them answered 429", flush=True)
    promises.add(f"{on}: list page, p95 beside a job over p95 alone", busy / quiet, MOST_SLOWER)


if __name__ == "__main__":
    sys.exit(main())
