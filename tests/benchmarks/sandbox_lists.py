"""How long a page of the sandbox's user list takes, among few users and among many, in one run.

    python -m tests.benchmarks.sandbox_lists [--few 1000] [--many 1000000] [--keep var/bench]

Seeding the big sandbox takes minutes; with --keep the next run reuses it. A time is the best of nine over HTTP, in
milliseconds, from request to parsed reply: the sandbox's own time, without other load of the machine.
"""

import argparse
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from tests.support.sandbox_server import Sandbox, running_sandbox

STAFF = "0d9e8f7a-1b2c-4d3e-8f90-a1b2c3d4e5f6"
PARTNERS = "1e0f9a8b-2c3d-4e4f-9a01-b2c3d4e5f607"
BUDGET_MS = 50
DEEP = 20  # pages
ROUNDS = 9


def quick(text: str) -> str:
    return f'username sw "{text}" or email sw "{text}" or name.given sw "{text}" or name.family sw "{text}"'


def questions(groups: dict[str, str]) -> dict[str, str]:
    """Return the measured filters by name."""

    def members(name: str) -> str:
        return f'memberOfGroups[id eq "{groups[name]}"]'

    return {
        "one user by username": 'username eq "mara.lind"',
        "everyone": "",
        "quick search, one letter": quick("m"),
        "quick search, three letters": quick("mar"),
        "quick search, one person": quick("mara.lind"),
        "quick search, nobody": quick("zzzz"),
        "quick search within a population": f'({quick("ma")}) and population.id eq "{PARTNERS}"',
        "quick search within a group": f"({quick('ma')}) and {members('Team 07')}",
        "population": f'population.id eq "{STAFF}"',
        "population, disabled": f'population.id eq "{STAFF}" and enabled eq false',
        "disabled": "enabled eq false",
        "big static group": members("All hands"),
        "team": members("Team 07"),
        "team, enabled": f"{members('Team 07')} and enabled eq true",
        "nested group": members("Engineering"),
        "dynamic group": members("Swedish staff"),
        "dynamic group, by family name": members("The Linds"),
        "family name, one of few": 'name.family eq "Lind"',
        "family name contains": 'name.family co "ind"',
        "phone": 'mobilePhone eq "+46.701000500"',
        "external id": 'externalId eq "hr-100500"',
    }


def milliseconds(api: httpx.Client, query: dict[str, Any]) -> tuple[float, dict[str, Any]]:
    """Return the best time and the last reply."""
    taken = []
    body: dict[str, Any] = {}
    for _ in range(ROUNDS):
        started = time.perf_counter()
        body = api.get("users", params=query).raise_for_status().json()
        taken.append((time.perf_counter() - started) * 1000)
    return min(taken), body


def measure(sandbox: Sandbox, limit: int) -> dict[str, tuple[float, float]]:
    """Return the times of the first page and of the deepest of the next 20 pages, by question."""
    times = {}
    with sandbox.api(sandbox.token()) as api:
        groups = api.get("groups", params={"limit": 1000}).json()["_embedded"]["groups"]
        for name, condition in questions({group["name"]: group["id"] for group in groups}).items():
            query: dict[str, Any] = {"limit": limit} | ({"filter": condition} if condition else {})
            first, body = milliseconds(api, query)
            cursor = None
            for _ in range(DEEP):
                if "next" not in body["_links"]:
                    break
                cursor = httpx.URL(body["_links"]["next"]["href"]).params["cursor"]
                body = api.get("users", params=query | {"cursor": cursor}).raise_for_status().json()
            deep = milliseconds(api, query | {"cursor": cursor})[0] if cursor else first
            times[name] = (first, deep)
    return times


def report(few: dict[str, tuple[float, float]], many: dict[str, tuple[float, float]], limit: int) -> bool:
    """Print a table and return whether every page kept the budget."""
    print(f"\nlimit {limit:<32}{'few':>16}{'many':>18}{'ratio':>16}")
    print(f"{'':34}{'first':>10}{'deep':>9}{'first':>10}{'deep':>9}{'first':>9}{'deep':>8}")
    for name, (first, deep) in many.items():
        small_first, small_deep = few[name]
        figures = f"{small_first:>10.1f}{small_deep:>9.1f}{first:>10.1f}{deep:>9.1f}"
        late = "" if max(first, deep) <= BUDGET_MS else f"  above {BUDGET_MS} ms"
        print(f"{name:34}{figures}{first / small_first:>9.1f}{deep / small_deep:>8.1f}{late}")
    return all(max(pair) <= BUDGET_MS for pair in many.values())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--few", type=int, default=1000)
    parser.add_argument("--many", type=int, default=1_000_000)
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    with ExitStack() as stack:
        kept = options.keep or Path(stack.enter_context(TemporaryDirectory()))
        sandboxes = []
        for count in (options.few, options.many):
            directory = kept / str(count)
            directory.mkdir(parents=True, exist_ok=True)
            started = time.perf_counter()
            sandboxes.append(stack.enter_context(running_sandbox(directory, "--users", str(count))))
            print(f"{count} users ready after {time.perf_counter() - started:.1f} s")
        in_budget = [report(measure(sandboxes[0], limit), measure(sandboxes[1], limit), limit) for limit in (25, 200)]
    return 0 if all(in_budget) else 1


if __name__ == "__main__":
    sys.exit(main())
