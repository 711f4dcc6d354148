"""Injection tests: a user with hostile text in every field, on pages, in exports, on a terminal and in the log.

Every text in PingOne's answers is a probe for each kind of injection: HTML element, attribute, URL, template, CSV
formula, HTTP header, log line and terminal command.
"""

import csv
import io
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from uuid import uuid4

import httpx
import pytest
import respx
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils.dateparse import parse_datetime

from console.actions.catalogue import ACTIONS, Action
from console.models import AuditEntry, Operator, Organization
from pingone_integration.values import text
from tests.support.addresses import OURS
from tests.support.answers import ADA, ENGINEERS, ada, error, listing
from tests.support.asking import one_of_each_shape, options, page_of, typed_for
from tests.support.everything import everything
from tests.support.people import API_URL, ENVIRONMENT

TEXT = (
    "=1+1<hostile-element onhostile=1></hostile-element></script></textarea></title>"
    "<!--hostile\"onhostile='1'onhostile={{ 7|add:7 }}{% hostile %}{# hostile #}"
)
WORDS = f"{TEXT}\r\nX-Hostile: yes\x1b[31m\x00\u202e\ud83d"
ADDRESS = f"javascript:hostile(){WORDS}"
SHOWN = "<hostile-element onhostile=1>"
FORMULA = re.compile(r"\s*[=+\-@]")


def hostile(value: Any, name: str = "") -> Any:
    """Return the JSON with every text replaced by hostile text, except IDs, times and links."""
    if isinstance(value, dict):
        return {key: item if key == "_links" else hostile(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [hostile(item) for item in value]
    if not isinstance(value, str) or name == "id" or parse_datetime(value):
        return value
    return ADDRESS if name in {"href", "email"} else WORDS


def typed(action: Action) -> dict[str, str]:
    """Return the form's input from a hostile operator."""
    username = {"username": " ".join(text(WORDS).split())} if action.key == "user.delete" else {}
    return typed_for(action) | username | {"ticket": TEXT[:60], "reason": TEXT}


@dataclass
class Directory:
    """A PingOne that answers with hostile text."""

    said: dict[str, Any] = field(default_factory=everything)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix(f"/v1/environments/{ENVIRONMENT}")
        if request.method == "GET" and path not in self.said:
            return self.answer(404, error("NOT_FOUND", "INVALID_VALUE", "username"))
        if "cursor" in request.url.params:
            return self.answer(200, listing("users", ada()))  # the last page
        return self.answer(200, self.said[path] if request.method == "GET" else ada())

    def answer(self, status: int, said: Any) -> httpx.Response:
        headers = {"Content-Type": "application/json", "Correlation-Id": '"><hostile-element>'}
        return httpx.Response(status, content=json.dumps(hostile(said)), headers=headers)


@pytest.fixture(autouse=True)
def _hostile_pingone() -> Any:
    cache.clear()
    with respx.mock(assert_all_called=False) as router:
        router.route(url__startswith=API_URL).mock(side_effect=Directory())
        yield
    cache.clear()


@pytest.fixture
def client(org_admin: Operator, acme: Organization) -> Client:
    """Return an org admin's browser. The organization and the operator have hostile names."""
    Organization.objects.filter(pk=acme.pk).update(name=TEXT[:100])
    Operator.objects.filter(pk=org_admin.pk).update(name=TEXT[:150])
    client = Client()
    client.force_login(org_admin)
    return client


class Reading(HTMLParser):
    """Parse a page as a browser does, and collect hostile text that became markup or code (`harm`)."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.harm: list[str] = []
        self.text = ""
        self.within = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.within = tag
        self.harm += [tag] if tag.startswith("hostile") else []
        for name, value in attrs:
            leads = name in {"href", "src", "action", "formaction", "content"} or name.startswith("hx-")
            if "hostile" in name or (leads and re.match(r"\s*javascript:", value or "")):
                self.harm.append(f"<{tag} {name}={value!r}>")

    def handle_endtag(self, tag: str) -> None:
        self.within = ""

    def handle_data(self, data: str) -> None:
        self.text += data
        if self.within in {"script", "style"} and "hostile" in data:
            self.harm.append(f"<{self.within}> {data!r}")

    def handle_comment(self, data: str) -> None:
        self.harm.append(f"<!--{data}-->")


def read(response: Any) -> str:
    """Check that body and headers contain the hostile text only as text, and return the text."""
    body: bytes = response.getvalue()
    page = body.decode()
    assert response.status_code < 500, response.request["PATH_INFO"]
    assert not [name for name, value in response.items() if "hostile" in name.lower() or "\n" in value]
    kind = response.headers.get("Content-Type", "")
    if kind.startswith("text/html"):
        seen = Reading(page)
        assert not seen.harm, response.request["PATH_INFO"]
        assert "onhostile=14" not in page, f"a template was run: {response.request['PATH_INFO']}"
        return seen.text
    if kind.startswith("text/csv"):
        columns, *rows = csv.reader(io.StringIO(page.lstrip("\ufeff"), newline=""))
        assert {len(row) for row in rows} <= {len(columns)}
        assert not [value for row in rows for value in row if FORMULA.match(value)]
    if kind.startswith("application/x-ndjson"):
        assert all(json.loads(line)["sequence"] for line in page.splitlines())
    return page


USER = f"/o/acme/users/{ADA}/"
PANELS = [f"{USER}panels/{panel}/" for panel in ("groups", "devices", "password", "sessions")]
PAGES = ["/o/acme/users/", USER, *PANELS, "/o/acme/groups/", f"/o/acme/groups/{ENGINEERS}/"]


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}], ids=["page", "fragment"])
def test_pages_show_hostile_text_as_text(client: Client, headers: dict[str, str]) -> None:
    for address in OURS:
        read(client.get(address.path, headers=headers))
        read(client.get(address.path, {"q": TEXT, "name": TEXT, "filter": TEXT, "text": TEXT}, headers=headers))

    unseen = [path for path in PAGES if SHOWN not in read(client.get(path, headers=headers))]
    assert not unseen


def test_actions_audit_and_log_keep_hostile_text_as_text(
    client: Client, audit_lines: Callable[[], list[str]], caplog: pytest.LogCaptureFixture, subtests: pytest.Subtests
) -> None:
    for action in ACTIONS:
        with subtests.test(action=action.key):
            page: dict[str, str] = {}
            by_fragment_too = action in one_of_each_shape()  # all actions of a shape share the code for fragments
            for way in (page, {"HX-Request": "true"}) if by_fragment_too else (page,):
                read(client.get(page_of(action), typed(action), headers=way))
                response = client.post(page_of(action), typed(action) | {"submission": str(uuid4())}, headers=way)
                read(response)
                if sent_to := response.headers.get("HX-Redirect") or response.headers.get("Location"):
                    read(client.get(sent_to))
            entries = AuditEntry.objects.filter(action=action.key).current()
            assert entries
            for entry in entries:
                assert SHOWN in read(client.get(f"/o/acme/audit/{entry.entry}/"))

    assert set(AuditEntry.objects.values_list("action", flat=True)) == {action.key for action in ACTIONS}
    assert SHOWN in read(client.get("/o/acme/audit/"))
    for kind in ("csv", "jsonl"):
        assert "hostile-element" in read(client.get(f"/o/acme/audit/export/{kind}/"))
    lines = audit_lines()
    assert len(lines) == AuditEntry.objects.count()
    assert all("\n" not in line and json.loads(line) for line in lines)
    assert not [record for record in caplog.records if "\nX-Hostile" in record.getMessage()]


def at_a_terminal(command: str, *arguments: str) -> str:
    """Run the command, check that its output is printable and has no injected lines, and return the output."""
    output = io.StringIO()
    try:
        call_command(command, *arguments, stdout=output, stderr=output)
    except CommandError as ended:
        output.write(str(ended))
    except SystemExit:
        pass
    said = output.getvalue()
    lines = said.split("\n")
    assert all(line.isprintable() for line in lines), said
    assert not [line for line in lines if line.startswith("X-Hostile")]
    return said


@pytest.mark.usefixtures("client")
@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.key)
def test_action_command_prints_hostile_text_safely(action: Action) -> None:
    user = ["--user", str(ADA)] if action.needs_user else []
    command = ["pingone", "acme", action.key, *user, *options(typed(action)), "--as", "admin@acme.test"]

    printed = at_a_terminal(*command)
    said, _ = json.JSONDecoder().raw_decode(at_a_terminal(*command, "--json"))  # the exit's message may follow
    # The hostile PingOne shows no effect, so that the outcome of some actions is unknown, and no name is printed.
    assert said["outcome"] == "unknown" or "hostile" in printed
    assert said["outcome"] == "succeeded" or action.effect is not None


@pytest.mark.usefixtures("client")
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_api_call_command_prints_hostile_text_safely(method: str) -> None:
    call = ["acme", "api.call", "--method", method, "--path", f"/users/{ADA}", "--reason", TEXT, "--as"]

    assert SHOWN in at_a_terminal("pingone", *call, "admin@acme.test")
    assert json.loads(at_a_terminal("pingone", *call, "admin@acme.test", "--json"))["body"]


@pytest.mark.usefixtures("client")
def test_other_commands_print_hostile_text_safely() -> None:
    at_a_terminal("check_connection", "acme")
    at_a_terminal("sync_populations", "acme")
    assert "hostile" in at_a_terminal("pingone", "acme", "show", "--user", str(ADA), "--as", "admin@acme.test")
    at_a_terminal("verify_audit")
    assert json.loads(at_a_terminal("check_connection", "acme", "--json"))
