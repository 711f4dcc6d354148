"""Many operators of one organization at once, each a page a second, with a PingOne that takes a second a call.

    python -m tests.benchmarks.many_operators [--operators 100 200] [--seconds 15]

The console is gunicorn as in production: two processes of 64 threads. PingOne and the browsers cost almost no CPU.
Exits with 1 if one of a hundred operators is refused a page.
"""

import argparse
import asyncio
import contextlib
import statistics
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from urllib.parse import urlsplit

import httpx

from tests.support.answers import ada, listing
from tests.support.canned_pingone import PASSWORD, console_for
from tests.support.console_server import free_port, submit
from tests.support.sandbox_server import new_browser

PROCESSES, THREADS = 2, 64
PINGONE_S = 1.0
LICENSED_CALLS = 2_000  # a second, above the load
PAGE = "/o/acme/users/"
REFUSED_AT_A_HUNDRED = 0


@dataclass
class Pages:
    """What the operators got: the seconds of each page by operator, refusals by status, and when to try again."""

    seconds: dict[int, list[float]] = field(default_factory=dict)
    refused: Counter[int] = field(default_factory=Counter)
    try_again: Counter[str] = field(default_factory=Counter)

    def shown(self) -> list[float]:
        return sorted(seconds for pages in self.seconds.values() for seconds in pages)


async def _read(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """Return head and body of a message with a Content-Length."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next((line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), b":0")
    return head, await reader.readexactly(int(length.partition(b":")[2]))


def start_pingone(port: int) -> None:
    """Answer every request with 25 users, after a second."""
    body = httpx.Response(200, json=listing("users", *[ada(username=f"user{number}") for number in range(25)])).content
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                await _read(reader)
                await asyncio.sleep(PINGONE_S)
                writer.write(answer)
                await writer.drain()
        writer.close()

    async def listen() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", port, backlog=512)
        await server.serve_forever()

    Thread(target=lambda: asyncio.run(listen()), daemon=True).start()


@contextlib.asynccontextmanager
async def connected(console: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    address = urlsplit(console)
    reader, writer = await asyncio.open_connection("127.0.0.1", address.port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def operate(number: int, console: str, cookies: str, until: float, pages: Pages) -> None:
    """Load the page once a second, as one operator does, until the time is over."""
    request = f"GET {PAGE} HTTP/1.1\r\nHost: localhost\r\nCookie: {cookies}\r\nAccept-Encoding: gzip\r\n"
    request += "Connection: close\r\n\r\n"
    pages.seconds[number] = []
    await asyncio.sleep(number % 50 / 50)
    while (started := time.monotonic()) < until:
        async with connected(console) as (reader, writer):
            writer.write(request.encode())
            head = (await reader.read()).partition(b"\r\n\r\n")[0].decode().lower()
        if head.startswith("http/1.1 200"):
            pages.seconds[number].append(time.monotonic() - started)
        else:
            pages.refused[int(head.split()[1])] += 1
            named = [line.partition(": ")[2] for line in head.split("\r\n") if line.startswith("retry-after:")]
            pages.try_again[(named or ["none"])[0]] += 1
        await asyncio.sleep(max(0.0, started + 1 - time.monotonic()))


async def work(operators: int, console: str, cookies: str, seconds: float) -> Pages:
    pages, until = Pages(), time.monotonic() + seconds
    await asyncio.gather(*[operate(number, console, cookies, until, pages) for number in range(operators)])
    return pages


def cookies_of_an_agent(console: str) -> str:
    with new_browser() as browser:
        browser.base_url = httpx.URL(console)
        browser.get("/accounts/login/")
        submit(browser, "/accounts/login/", {"login": "agent@acme.test", "password": PASSWORD})
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in browser.cookies.jar)


def told(operators: int, pages: Pages) -> str:
    shown = pages.shown()
    share = sorted(len(seconds) for seconds in pages.seconds.values())
    p95 = statistics.quantiles(shown, n=20)[-1] if len(shown) > 1 else 0
    refusals = f", try again after {dict(pages.try_again)} s" if pages.refused else ""
    return (
        f"{operators} operators: {len(shown)} pages, median {statistics.median(shown):.2f} s, p95 {p95:.2f} s; "
        f"{share[0]} to {share[-1]} pages each; refused {sum(pages.refused.values())} {dict(pages.refused)}{refusals}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--operators", type=int, nargs="+", default=[100, 200])
    parser.add_argument("--seconds", type=float, default=15)
    options = parser.parse_args()
    port, failed = free_port(), False
    start_pingone(port)
    with (
        TemporaryDirectory() as directory,
        console_for(
            Path(directory),
            {"acme": f"http://127.0.0.1:{port}"},
            processes=PROCESSES,
            threads=THREADS,
            licensed_calls=LICENSED_CALLS,
        ) as console,
    ):
        cookies = cookies_of_an_agent(console)
        for operators in options.operators:
            pages = asyncio.run(work(operators, console, cookies, options.seconds))
            print(told(operators, pages), flush=True)
            failed |= operators == 100 and sum(pages.refused.values()) > REFUSED_AT_A_HUNDRED
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
