"""What the list of 25 users and a user's page cost, against Django admin's changelist over as many rows, in one run.

    python -m tests.benchmarks.page_cost [--rounds 200] [--ratio 0.67] [--profile list]

Everything runs in this process, with the settings and the middleware of production, compression included, and on a new
SQLite file. PingOne is a canned reply that costs next to no CPU. The pages take turns, so that a busy machine disturbs
all of them alike. Exits with 1 if a page costs more than that part of the changelist's CPU.
"""

import argparse
import cProfile
import gzip
import os
import pstats
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import django
import httpx

from tests.support.answers import ADA, BO, ENGINEERS, STAFF, ada, listing

ROWS = 25
WARM_UP = 20
LIST, USER, ADMIN = "/o/acme/users/", f"/o/acme/users/{ADA}/", "/admin/admin_peer/person/"
BYTES_FIRST, BYTES_REPEATED = 150_000, 20_000
GIVEN = ("Mara", "Bo", "Ida", "Nils", "Zoë", "Åke", "Lea", "Tom", "Una", "Per")


def people() -> Iterator[dict[str, Any]]:
    for number in range(ROWS):
        given, family = GIVEN[number % len(GIVEN)], f"Lind{number}"
        yield ada(
            id=str(UUID(int=ADA.int + number)),
            username=f"{given}.{family}".lower(),
            email=f"{given}.{family}@acme.test".lower(),
            name={"given": given, "family": family},
            enabled=number % 7 != 3,
            lastSignOn={"at": f"2026-11-{number + 1:02}T06:{number + 10}:12.903Z"},
        )


class CannedPingOne(httpx.BaseTransport):
    """A transport with one reply for each path, made beforehand."""

    def __init__(self) -> None:
        device = {"id": str(BO), "type": "SMS", "status": "ACTIVE", "phone": "+46701234567", "nickname": "Phone"}
        group = {"id": str(ENGINEERS), "name": "Field engineers", "type": "DIRECT"}
        session = {"id": str(BO), "browser": {"name": "Firefox"}, "activeAt": "2026-11-20T07:02:55.666Z"}
        user = f"/users/{ADA}"
        replies = {
            "/users": listing("users", *people()),
            "/populations": listing("populations", {"id": str(STAFF), "name": "Staff"}),
            user: ada(),
            f"{user}/memberOfGroups": listing("groupMemberships", group),
            f"{user}/devices": listing("devices", device),
            f"{user}/bypassMFA": {},
            f"{user}/password": {"status": "OK", "lastChangedAt": "2026-10-01T07:02:55.666Z"},
            f"{user}/sessions": listing("sessions", session),
        }
        self.replies = {path: httpx.Response(200, json=body).content for path, body in replies.items()}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path = re.sub(r"^/v1/environments/[^/]*", "", request.url.path)
        return httpx.Response(200, headers={"Content-Type": "application/json"}, content=self.replies[path])


def prepare(directory: Path) -> None:
    """Configure Django as in production, with the admin beside the console, and fill the database."""
    os.environ["DATABASE_URL"] = f"sqlite:///{directory}/console.sqlite3"
    from django.conf import settings

    import tests.settings as throwaway
    from console import settings as production

    values = {name: getattr(throwaway, name) for name in dir(throwaway) if name.isupper()}
    values |= {
        "INSTALLED_APPS": [*production.INSTALLED_APPS, "django.contrib.admin", "tests.benchmarks.admin_peer"],
        "LOGGING_CONFIG": None,
        "MIDDLEWARE": production.MIDDLEWARE,
        "ROOT_URLCONF": "tests.benchmarks.admin_peer.urls",
        "STATIC_ROOT": directory / "static",
        "STORAGES": production.STORAGES,
    }
    settings.configure(**values)
    django.setup()
    from django.core.management import call_command

    call_command("collectstatic", interactive=False, verbosity=0)
    call_command("migrate", run_syncdb=True, verbosity=0)


def fill() -> Any:
    """Create the operator of one organization, and the admin's rows. Return the operator."""
    from django.utils.dateparse import parse_datetime

    from console.models import Membership
    from tests.benchmarks.admin_peer.models import Person
    from tests.support.people import make_operator, make_organization

    for shown in people():
        Person._default_manager.create(
            name=f"{shown['name']['given']} {shown['name']['family']}",
            username=shown["username"],
            email=shown["email"],
            population="Staff",
            enabled=shown["enabled"],
            last_sign_on_at=parse_datetime(shown["lastSignOn"]["at"]),
        )
    return make_operator("agent@acme.test", make_organization("acme", "Acme"), Membership.Role.HELPDESK_AGENT)


@dataclass(frozen=True)
class Answer:
    status: str
    headers: dict[str, str]
    content: bytes

    @property
    def text(self) -> str:
        return (gzip.decompress(self.content) if "content-encoding" in self.headers else self.content).decode()


@dataclass
class Browser:
    """A signed-in browser that calls the WSGI application, as gunicorn does."""

    application: Callable[..., Any]
    cookies: SimpleCookie

    def get(self, url: str, **headers: str) -> Answer:
        address = urlsplit(url)
        told: dict[str, Any] = {}

        def start_response(status: str, found: list[tuple[str, str]]) -> None:
            told.update({"status": status, "headers": {name.lower(): value for name, value in found}})

        environ = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": address.path,
            "QUERY_STRING": address.query,
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_ACCEPT_ENCODING": "gzip, deflate",  # as browsers say without TLS
            "HTTP_COOKIE": "; ".join(f"{name}={cookie.value}" for name, cookie in self.cookies.items()),
            "wsgi.url_scheme": "http",
            "wsgi.input": BytesIO(),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            **headers,
        }
        body = self.application(environ, start_response)
        content = b"".join(body)
        body.close()
        return Answer(told["status"], told["headers"], content)

    def page(self, url: str) -> Answer:
        answer = self.get(url)
        assert answer.status == "200 OK", (url, answer.status, answer.text[:500])
        return answer

    def fragment(self, url: str) -> Answer:
        answer = self.get(url, HTTP_HX_REQUEST="true", HTTP_HX_CURRENT_URL=f"http://localhost{USER}")
        assert answer.status == "200 OK", (url, answer.status)
        return answer

    def user_with_panels(self) -> None:
        """Load the page, its panels, and the verdict anew after each panel that says more, as users.js does."""
        shown = self.page(USER).text
        known = known_in(shown)
        panels = re.findall(rf'hx-get="({USER}panels/\w+/)" hx-trigger="load"', shown)
        assert len(panels) == 4, panels
        for panel in panels:
            more = known_in(self.fragment(panel).text)
            if more:
                known |= more
                self.fragment(f"{USER}standing/?{httpx.QueryParams(known)}")


def known_in(text: str) -> dict[str, str]:
    return dict(re.findall(r'class="known" name="(\w+)" value="([^"]*)"', text))


def signed_in(operator: Any) -> Browser:
    from django.core.wsgi import get_wsgi_application
    from django.test import Client

    client = Client()
    from tests.support.sessions import keep_tokens_in_cookies

    keep_tokens_in_cookies()
    client.force_login(operator)
    return Browser(get_wsgi_application(), client.cookies)


@dataclass
class Cost:
    """The CPU and wall seconds of each load of a page, and its queries to the database."""

    load: Callable[[], object]
    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)
    queries: int = 0

    def measure(self) -> None:
        wall, cpu = time.perf_counter(), time.process_time()
        self.load()
        self.cpu.append((time.process_time() - cpu) * 1000)
        self.wall.append((time.perf_counter() - wall) * 1000)

    def count(self) -> None:
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        with CaptureQueriesContext(connection) as asked:
            self.load()
        self.queries = len(asked)


def first_load(browser: Browser, url: str) -> tuple[int, int]:
    """Return the bytes of a page with all that it refers to, and of the page alone, as they are sent."""
    page = browser.page(url)
    found = re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text)
    assets = [browser.page(asset) for asset in dict.fromkeys(found)]
    assert all("immutable" in asset.headers["cache-control"] for asset in assets), "a repeat would load them again"
    return len(page.content) + sum(len(asset.content) for asset in assets), len(page.content)


def measured(browser: Browser, rounds: int) -> dict[str, Cost]:
    pages = {
        "Django admin, changelist": Cost(lambda: browser.page(ADMIN)),
        "list": Cost(lambda: browser.page(LIST)),
        "list, results alone": Cost(lambda: browser.fragment(LIST)),
        "user": Cost(lambda: browser.page(USER)),
        "user with all panels": Cost(browser.user_with_panels),
    }
    for _ in range(WARM_UP):
        for page in pages.values():
            page.load()
    for page in pages.values():
        page.count()
    for _ in range(rounds):
        for page in pages.values():
            page.measure()
    return pages


def report(pages: dict[str, Cost], most: float) -> bool:
    """Print the costs. Return whether list page and user page cost at most that part of the changelist's CPU."""
    peer = next(iter(pages))
    print(f"{'ms':28}{'CPU':>8}{'p95':>8}{'wall':>8}{'p95':>8}{'ratio':>8}{'queries':>9}")
    kept = True
    for name, cost in pages.items():
        ratio = statistics.median(cost.cpu) / statistics.median(pages[peer].cpu)
        numbers = [
            value
            for taken in (cost.cpu, cost.wall)
            for value in (statistics.median(taken), statistics.quantiles(taken, n=20)[-1])
        ]
        late = "" if name not in {"list", "user"} or ratio <= most else f"   above {most}"
        kept = kept and not late
        print(f"{name:28}" + "".join(f"{number:>8.1f}" for number in numbers) + f"{ratio:>8.2f}{cost.queries:>9}{late}")
    return kept


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--ratio", type=float, default=0.67)
    parser.add_argument("--profile", help="print where this page spends its time, for example: list")
    options = parser.parse_args()
    with TemporaryDirectory() as directory:
        prepare(Path(directory))
        from pingone_integration.calls.transport import shared_transport

        shared_transport()._direct = CannedPingOne()  # type: ignore[assignment]
        browser = signed_in(fill())
        pages = measured(browser, options.rounds)
        if options.profile:
            profile(pages[options.profile])
        kept = report(pages, options.ratio)
        print(f"\n{'bytes':28}{'first':>10}{'repeated':>10}")
        for name, url in (("list", LIST), ("user", USER)):
            first, repeated = first_load(browser, url)
            late = "" if first <= BYTES_FIRST and repeated <= BYTES_REPEATED else "   above the budget"
            kept = kept and not late
            print(f"{name:28}{first:>10}{repeated:>10}{late}")
    return 0 if kept else 1


def profile(page: Cost) -> None:
    profiler = cProfile.Profile()
    profiler.enable()
    for _ in range(100):
        page.load()
    profiler.disable()
    stats = pstats.Stats(profiler).strip_dirs()
    stats.sort_stats("cumulative").print_stats(110)
    stats.sort_stats("tottime").print_stats(60)


if __name__ == "__main__":
    sys.exit(main())
