"""Recovery under a flood, on the database of DATABASE_URL: does anybody else notice, and do mails still leave in time?

    [.ci/with-postgres] .venv/bin/python -m tests.benchmarks.recovery [--seconds 20] [--rounds 3] [--turns 60]

Prints the answer times of the first step for known, unknown and protected people. Then 50 recoveries a second come from
50 networks at a time with 500 names, while an agent loads the user list and real people ask for their code. Prints each
promise with "ok" or "missed", and exits with 1 if one was missed: the agent's p95 grows by at most a fifth, nobody is
answered 429, and a real person's mail leaves within 20 s (p95). Without DATABASE_URL, on a new SQLite database.
"""

import argparse
import asyncio
import os
import statistics
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from urllib.parse import parse_qs, urlencode
from uuid import uuid5

import httpx

from tests.benchmarks.many_operators import connected, cookies_of_an_agent
from tests.support.answers import ADA, STAFF, Json, ada, listing
from tests.support.canned_pingone import console_for

NETWORKS, NAMES, A_SECOND = 50, 500, 50
PROCESSES, THREADS = 2, 32
OF_ONE_NETWORK = 50  # below the limit of forms: then another one comes, so that the limit ends no flood
REAL_PEOPLE, MOST_ROUNDS = 10, 9
LISTED = 12  # users on the agent's page
MOST_MORE, LONGEST_MAIL_S = 1.2, 20.0
SECRET = "0123456789abcdefghijklmnopqrstuv"  # of the CSRF cookie
SWITCH_ON = f"""
from uuid import UUID
from console.models import GroupReading, RecoveryPolicy
acme = Organization.objects.get(slug="acme")
RecoveryPolicy.objects.create(organization=acme, population_id=UUID("{STAFF}"), is_on=True)
GroupReading.objects.create(
    organization=acme, environment_id=acme.connection.managed_environment_id, read_at=timezone.now(), shows_roles=True
)
"""


def person(number: int) -> str:
    return f"person{number}"


def pingone_with_people() -> str:
    """Serve an environment with real people and one administrator. Return its address."""
    known = [*map(person, range(REAL_PEOPLE * MOST_ROUNDS)), "known", "root"]
    users = {
        str(uuid5(ADA, name)): ada(id=str(uuid5(ADA, name)), username=name, email=f"{name}@acme.test") for name in known
    }

    def found(path: list[str], sought: str) -> Json:
        match path:
            case ["users"] if sought:
                return listing("users", *(one for one in users.values() if f'"{one["username"]}"' in sought))
            case ["users"]:
                return listing("users", *list(users.values())[:LISTED])
            case ["users", user_id] if user_id in users:
                return users[user_id] | {"memberOfGroupIDs": []}
            case ["users", user_id, "password"]:
                return {"status": "PASSWORD_LOCKED_OUT", "lastChangedAt": "2026-05-18T10:00:31.114Z"}
            case ["users", user_id, "roleAssignments"]:
                holds = [{"id": str(ADA)}] if users.get(user_id, {}).get("username") == "root" else []
                return listing("roleAssignments", *holds)
            case [*_, name]:
                return listing(name)
        return {}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            path, _sign, query = self.path.partition("?")
            below_environment, sought = path.split("/")[4:], parse_qs(query).get("filter", [""])[0]
            content = httpx.Response(200, json=found(below_environment, sought)).content
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named by http.server
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


async def answer_of(console: str, request: str) -> tuple[int, float]:
    """Return the status of the answer and its time in seconds."""
    started = time.monotonic()
    async with connected(console) as (reader, writer):
        writer.write(request.encode())
        head = await reader.read()
    return int(head.split(maxsplit=2)[1]), time.monotonic() - started


async def ask(console: str, who: str, network: int) -> tuple[int, float]:
    body = urlencode({"who": who, "csrfmiddlewaretoken": SECRET})
    head = (
        "POST /recover/acme/start/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        f"Cookie: console_csrf={SECRET}\r\nX-Forwarded-For: 10.{network // 250}.{network % 250}.7\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return await answer_of(console, head + body)


async def first_steps(console: str, turns: int) -> None:
    """Print the answer times of the first step for each kind of person, taken in turns."""
    times: dict[str, list[float]] = {"known": [], "unknown": [], "protected": []}
    names = {"known": "known", "unknown": "nobody", "protected": "root"}
    for turn in range(turns):
        for place, (kind, seconds) in enumerate(times.items()):
            network = 1_000 + len(times) * turn + place  # each from a network that is new: the first has more to write
            _status, taken = await ask(console, names[kind], network)
            seconds.append(taken)
    for kind, seconds in times.items():
        tenths = " ".join(f"{1_000 * one:.1f}" for one in statistics.quantiles(seconds, n=10))
        print(f"first step, {kind}: deciles in ms {tenths}", flush=True)


@dataclass
class Agent:
    """What an agent saw: the times of the list page, and how often it was not answered."""

    seconds: list[float] = field(default_factory=list)
    refused: int = 0


def list_page(cookies: str) -> str:
    return f"GET /o/acme/users/ HTTP/1.1\r\nHost: localhost\r\nCookie: {cookies}\r\nConnection: close\r\n\r\n"


async def warmed_up(console: str, cookies: str) -> None:
    """Let each thread of the console answer once: it opens its connection to the database then."""
    for _round in range(5):
        await asyncio.gather(*(answer_of(console, list_page(cookies)) for _ in range(PROCESSES * THREADS)))


async def agent(console: str, cookies: str, until: float, seen: Agent) -> None:
    """Load the user list again and again, four times a second."""
    request = list_page(cookies)
    while (started := time.monotonic()) < until:
        status, taken = await answer_of(console, request)
        seen.seconds += [taken] if status == 200 else []
        seen.refused += status != 200
        await asyncio.sleep(max(0.0, started + 0.25 - time.monotonic()))


async def flood(console: str, seconds: float, first_network: int) -> Counter[int]:
    """Ask, without waiting for answers. Return how often which status came."""
    statuses: Counter[int] = Counter()
    asking: set[asyncio.Task[None]] = set()
    until = time.monotonic() + seconds

    async def one(number: int) -> None:
        network = number % NETWORKS + NETWORKS * (number // (NETWORKS * OF_ONE_NETWORK))
        status, _taken = await ask(console, f"name{number % NAMES}", first_network + network)
        statuses[status] += 1

    for number in range(sys.maxsize):
        if time.monotonic() >= until:
            break
        task = asyncio.create_task(one(number))
        asking.add(task)
        task.add_done_callback(asking.discard)
        await asyncio.sleep(1 / A_SECOND)
    await asyncio.gather(*asking)
    return statuses


def flood_alone(console: str, seconds: float, first_network: int) -> Counter[int]:
    return asyncio.run(flood(console, seconds, first_network))


async def mails(console: str, folder: Path, seconds: float, people: range) -> list[float]:
    """Let each real person ask once, from a network of their own. Return the seconds to the mails that came."""
    asked: dict[str, float] = {}
    for number in people:
        asked[person(number)] = time.time()
        await ask(console, person(number), 5_000 + number)
        await asyncio.sleep(seconds / len(people))
    end = time.time() + 2 * LONGEST_MAIL_S
    came: dict[str, float] = {}
    while len(came) < len(asked) and time.time() < end:
        for path in folder.iterdir():
            text = path.read_text(errors="replace")
            came |= {name: path.stat().st_mtime for name in asked.keys() - came.keys() if f"To: {name}@" in text}
        await asyncio.sleep(0.2)
    return [came.get(name, end) - at for name, at in asked.items()]


def p95(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=20)[-1] if len(seconds) > 1 else float("inf")


async def measured(console: str, cookies: str, folder: Path, *, seconds: float, rounds: int, turns: int) -> bool:
    """Print everything, and return whether the promises hold. Quiet and flood take turns: machines drift."""
    await warmed_up(console, cookies)
    await first_steps(console, turns)
    quiet, in_flood, to_mail = Agent(), Agent(), list[float]()
    statuses: Counter[int] = Counter()
    # In a process of its own: it must not take the time of the one that answers as PingOne and measures.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as elsewhere:
        await asyncio.wrap_future(elsewhere.submit(flood_alone, console, 0, 0))  # starts it
        for number in range(rounds):
            await agent(console, cookies, time.monotonic() + seconds, quiet)
            first_network = 10_000 + number * int(A_SECOND * seconds)
            flooding = asyncio.wrap_future(elsewhere.submit(flood_alone, console, seconds, first_network))
            people = range(number * REAL_PEOPLE, (number + 1) * REAL_PEOPLE)
            _none, came, answered = await asyncio.gather(
                agent(console, cookies, time.monotonic() + seconds, in_flood),
                mails(console, folder, seconds, people),
                flooding,
            )
            to_mail += came
            statuses += answered
    alone, during, longest = p95(quiet.seconds), p95(in_flood.seconds), p95(to_mail)
    a_second = statuses.total() / seconds / rounds
    print(f"answers to {statuses.total()} recoveries: {dict(statuses)}; {a_second:.0f} a second")
    print(f"mails to real people, s: {' '.join(f'{one:.1f}' for one in sorted(to_mail))}")
    promises = {
        f"agent's list page, p95: {alone:.3f} s alone, {during:.3f} s in the flood (at most {MOST_MORE} times)": (
            during <= MOST_MORE * alone
        ),
        f"answered 429: {statuses[429]} recoveries; the agent without an answer: {in_flood.refused} (none)": (
            not statuses[429] and not in_flood.refused
        ),
        f"a real person's mail, p95: {longest:.1f} s (at most {LONGEST_MAIL_S:.0f} s)": longest <= LONGEST_MAIL_S,
    }
    for words, holds in promises.items():
        print(f"{'ok' if holds else 'missed'}: {words}", flush=True)
    return all(promises.values())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20, help="of each round, quiet and again in the flood")
    parser.add_argument("--rounds", type=int, default=3, choices=range(1, MOST_ROUNDS + 1))
    parser.add_argument("--turns", type=int, default=60, help="first steps of each kind")
    options = parser.parse_args()
    with (
        TemporaryDirectory() as directory,
        console_for(
            Path(directory),
            {"acme": pingone_with_people()},
            processes=PROCESSES,
            threads=THREADS,
            more=SWITCH_ON,
            DATABASE_URL=os.environ.get("DATABASE_URL") or f"sqlite:///{directory}/flood.sqlite3",
            TRUSTED_PROXIES="127.0.0.1",
        ) as console,
    ):
        cookies = cookies_of_an_agent(console)
        folder = Path(directory) / "mail"
        holds = asyncio.run(
            measured(console, cookies, folder, seconds=options.seconds, rounds=options.rounds, turns=options.turns)
        )
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
