"""What the console adds to PingOne's own time, page by page, in one run against the local PingOne.

    python -m tests.benchmarks.console_pages [--users 1000] [--rounds 60]

Every call to PingOne passes through a relay, which counts, times and can delay it. Exits with 1 if a budget is
exceeded.
"""

import argparse
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

import httpx

from tests.support.console_server import callback_address, free_port, running_console
from tests.support.sandbox_server import Sandbox, new_browser, running_sandbox

MARA = "c0a8f3d2-41b7-4e9a-9d0e-7b6a5c4d3e21"
LIST = "/o/acme/users/?limit=25"
SEARCH = "/o/acme/users/?limit=25&q=mar"
USER = f"/o/acme/users/{MARA}/"
OPERATORS = 50
FRAGMENT = {"HX-Request": "true"}


@dataclass
class Relay:
    """A relay in front of the sandbox's API. `calls` are the seconds that each call took, delay included."""

    url: str
    calls: list[float]
    hold_back_s: float = 0.0
    own_s: float = 0.0  # overhead of the relay for each call, as measured by a client


@contextmanager
def relay_to(sandbox: Sandbox) -> Iterator[Relay]:
    with new_browser() as upstream:

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                started = time.perf_counter()
                time.sleep(relay.hold_back_s)
                headers = {name: self.headers[name] for name in ("Authorization", "Accept") if name in self.headers}
                reply = upstream.get(sandbox.url + self.path, headers=headers)
                relay.calls.append(time.perf_counter() - started)
                self.send_response(reply.status_code)
                self.send_header("Content-Type", reply.headers["Content-Type"])
                self.send_header("Content-Length", str(len(reply.content)))
                self.end_headers()
                self.wfile.write(reply.content)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named by http.server
                """Log nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        relay = Relay(url=f"http://127.0.0.1:{server.server_port}", calls=[])
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield relay
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def relayed_console(directory: Path, users: int) -> Iterator[tuple[httpx.Client, Relay]]:
    """Run the console as in production. Yield the browser of a connected organization's org admin, and the relay."""
    port = free_port()
    options = ("--users", str(users), "--redirect-uri", callback_address(port))
    with running_sandbox(directory, *options) as sandbox, relay_to(sandbox) as relay:
        settings = {"PINGONE_CUSTOM_HOSTS": f"{sandbox.url}={relay.url}", "WEB_THREADS": "64"}
        with running_console(directory, port, sandbox, **settings) as console, console.browser() as browser:
            relay.own_s = cost_of(relay, sandbox)
            yield browser, relay


@dataclass(frozen=True)
class Measured:
    """The measurements of a page: seconds on top of PingOne's time, and the calls of each load."""

    on_top: list[float]
    calls: int

    @property
    def median_ms(self) -> float:
        return statistics.median(self.on_top) * 1000

    @property
    def p95_ms(self) -> float:
        return statistics.quantiles(self.on_top, n=20)[-1] * 1000


def measure(relay: Relay, rounds: int, load: Callable[[], object]) -> Measured:
    """Measure `load` once per round, after five loads to warm up."""
    on_top: list[float] = []
    calls: set[int] = set()
    for number in range(rounds + 5):
        relay.calls.clear()
        started = time.perf_counter()
        load()
        taken = time.perf_counter() - started
        if number >= 5:
            on_top.append(taken - max(relay.calls) - relay.own_s)
            calls.add(len(relay.calls))
    assert len(calls) == 1, f"not every load made as many calls: {calls}"
    return Measured(on_top, calls.pop())


def cost_of(relay: Relay, sandbox: Sandbox) -> float:
    """Return the relay's overhead: the median seconds that a client waits beyond the time that the relay counts."""
    with sandbox.api(sandbox.token()) as api:
        relayed = f"{relay.url}{api.base_url.path}users/{MARA}"
        costs = []
        for _ in range(30):
            relay.calls.clear()
            started = time.perf_counter()
            api.get(relayed).raise_for_status()
            costs.append(time.perf_counter() - started - relay.calls[0])
    return statistics.median(costs)


def page(browser: httpx.Client, path: str, headers: dict[str, str] | None = None) -> None:
    browser.get(path, headers=headers or {}).raise_for_status()


def user_with_panels(browser: httpx.Client) -> None:
    """Load the user's page, then all its panels at once, as the browser does."""
    shown = browser.get(USER).raise_for_status().text
    panels = sorted(set(re.findall(rf'hx-get="({USER}panels/\w+/)"', shown)))
    assert len(panels) >= 4, panels
    with ThreadPoolExecutor(len(panels)) as at_once:
        list(at_once.map(lambda path: page(browser, path, FRAGMENT), panels))


def slowest_of_many(browser: httpx.Client, relay: Relay, hold_back_s: float) -> float:
    """Return the seconds of the slowest of OPERATORS list pages requested at once."""

    def one(_: int) -> float:
        with new_browser() as another:
            another.cookies = browser.cookies
            started = time.perf_counter()
            another.get(browser.base_url.join(LIST)).raise_for_status()
            return time.perf_counter() - started

    relay.hold_back_s = hold_back_s
    with ThreadPoolExecutor(OPERATORS) as at_once:
        return max(at_once.map(one, range(OPERATORS)))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--users", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=60)
    options = parser.parse_args()
    with TemporaryDirectory() as directory, relayed_console(Path(directory), options.users) as (browser, relay):
        rows = [
            ("list of 25", lambda: page(browser, LIST), 1, 15, 30),
            ("list of 25, results alone", lambda: page(browser, LIST, FRAGMENT | {"HX-Target": "results"}), 1, 15, 30),
            ("search, 25 shown", lambda: page(browser, SEARCH), 1, 15, 30),
            ("user", lambda: page(browser, USER), 1, 15, 30),
            ("user with all panels", lambda: user_with_panels(browser), 5, 50, 100),
        ]
        print(f"{'on top of PingOne':28}{'calls':>7}{'median ms':>12}{'p95 ms':>10}")
        kept = True
        for name, load, calls, median_ms, p95_ms in rows:
            seen = measure(relay, options.rounds, load)
            good = seen.calls == calls and seen.median_ms <= median_ms and seen.p95_ms <= p95_ms
            kept = kept and good
            late = "" if good else f"   above {calls} calls, {median_ms} ms, {p95_ms} ms"
            print(f"{name:28}{seen.calls:>7}{seen.median_ms:>12.1f}{seen.p95_ms:>10.1f}{late}")
        prompt, slow = (statistics.median(slowest_of_many(browser, relay, s) for _ in range(3)) for s in (0.0, 1.0))
        waited = slow - prompt
        late = "" if waited <= 1.5 else "   above 1.5 s: somebody waited for somebody else"
        print(
            f"\n{OPERATORS} lists at once: {prompt:.2f} s for the slowest; while PingOne takes 1 s: {slow:.2f} s{late}"
        )
        return 0 if kept and waited <= 1.5 else 1


if __name__ == "__main__":
    sys.exit(main())
