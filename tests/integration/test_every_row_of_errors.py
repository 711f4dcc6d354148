"""Each kind of failure, caused at the sandbox: page, notice, audit entry and commands agree on the error."""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from html import unescape
from io import StringIO
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from console.models import AuditEntry, Organization
from pingone_integration import profiles, users
from pingone_integration.calls import breaker
from pingone_integration.connection.open_api import open_api
from pingone_integration.errors import Duplicate, kinds
from pingone_integration.models import Connection
from tests.support.people import make_operator
from tests.support.sandbox_server import Sandbox

HTMX = {"HX-Request": "true", "HX-Target": "action"}
TAKEN = "row.taken"
CLOSED = "http://127.0.0.1:9"  # the discard port: no service listens there


@dataclass(frozen=True, kw_only=True)
class World:
    """The parts that a row can break: the local PingOne, the connection to it, and the user of the action."""

    sandbox: Sandbox
    connection: Connection
    organization: Organization
    user_id: UUID
    settings: Any

    def expire(self) -> None:
        """Let the access token expire, as an hour later, so that the next call renews it first."""
        Connection.objects.filter(pk=self.connection.pk).update(access_token_expires_at=timezone.now())


@dataclass(frozen=True, kw_only=True)
class Row:
    """A kind of failure and the way to cause it at PingOne."""

    kind: str
    broken: Callable[[World], object] = bool  # default: break nothing, because the request itself is at fault
    action: str = "user.deactivate"
    inputs: dict[str, str] = field(default_factory=dict)
    check: str = ""  # connection check that finds it too; empty if it is about one user or one moment
    found: str = "failed"  # state of that check
    outcome: str = "failed"


def wrong_region(world: World) -> None:
    world.settings.PINGONE_CUSTOM_HOSTS = {world.sandbox.url: CLOSED}


def unlisted_host(world: World) -> None:
    world.settings.PINGONE_CUSTOM_HOSTS = {}


def rotated_secret(world: World) -> None:
    world.sandbox.change("rotate-secret")
    world.expire()


def revoked_grant(world: World) -> None:
    world.sandbox.change("revoke-grants")
    world.expire()


def deleted_user(world: World) -> None:
    open_api(world.connection).delete(f"/users/{world.user_id}")


def taken_username(world: World) -> None:
    with suppress(Duplicate):
        profiles.create(open_api(world.connection), profile={"username": TAKEN})


ROWS = {
    "connection failure": Row(kind="connection-failure", broken=wrong_region, check="api"),
    "authentication error": Row(kind="authentication-error", broken=rotated_secret, check="credentials"),
    "token refresh failure": Row(kind="token-refresh-failure", broken=revoked_grant, check="refresh"),
    "invalid API URL": Row(kind="invalid-api-url", broken=unlisted_host, check="auth-url"),
    "missing permission": Row(
        kind="missing-permission",
        broken=lambda world: world.sandbox.change("remove-role", administrator="ada.admin"),
        check="managed-environment",
    ),
    "target not found": Row(kind="target-not-found", broken=deleted_user),
    "duplicate": Row(kind="duplicate", broken=taken_username, action="user.update", inputs={"username": TAKEN}),
    "invalid value": Row(kind="invalid-value", action="user.update", inputs={"locale": "no such locale"}),
    "unlock failure": Row(
        kind="unlock-failure", broken=lambda world: world.sandbox.change("no-unlock"), action="user.unlock"
    ),
    "rate limited": Row(
        kind="rate-limited",
        broken=lambda world: world.sandbox.fault("429", retry_after="30"),
        check="read-users",
        found="cannot-tell",
    ),
    "unavailable": Row(kind="unavailable", broken=lambda world: world.sandbox.fault("503"), check="api"),
    "answer lost after the write": Row(
        kind="unavailable",
        broken=lambda world: world.sandbox.fault("answer-lost", methods="PUT"),
        outcome="unknown",
    ),
}


@pytest.fixture
def world(connection: Connection, sandbox: Sandbox, settings: Any) -> Iterator[World]:
    """Return connected Acme with a locked user of its own. Afterwards, restore the sandbox."""
    connection.managed_environment_id = UUID(sandbox.details["managed_environment_id"])
    connection.save(update_fields=["managed_environment_id"])
    organization = Organization.objects.create(slug="acme", name="Acme", connection=connection)
    name = f"row.{uuid4().hex[:8]}"
    api = open_api(connection)
    user_id = profiles.create(api, profile={"username": name, "given_name": "Rowena", "family_name": "Row"}).user.id
    users.lock(api, user_id, until=timezone.now() + timedelta(hours=1))
    yield World(sandbox=sandbox, connection=connection, organization=organization, user_id=user_id, settings=settings)
    sandbox.mend()


@pytest.fixture
def admin(world: World) -> Client:
    cache.clear()
    client = Client()
    client.force_login(make_operator("admin@acme.test", world.organization, "org_admin"))
    return client


def forget_pauses(world: World) -> None:
    """End the pauses that repeated failures cause, so that they do not hide the failure under test."""
    breaker.answered(world.connection.pk, tried=True)
    Connection.objects.filter(pk=world.connection.pk).update(calls_closed_until=None)


def by_command(world: World, row: Row) -> dict[str, Any]:
    """Return the JSON output of `manage.py pingone`."""
    options = [part for name, value in row.inputs.items() for part in (f"--{name}", value)]
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command(
            *("pingone", "acme", row.action, "--user", str(world.user_id), *options),
            *("--as", "admin@acme.test", "--json"),
            stdout=out,
        )
    told: dict[str, Any] = json.loads(out.getvalue())
    return told


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_failure_is_described_alike_by_page_notice_record_and_command(row: Row, world: World, admin: Client) -> None:
    row.broken(world)
    url = reverse("user-action", args=["acme", world.user_id, row.action])
    error = kinds()[row.kind]

    said = by_command(world, row)
    forget_pauses(world)
    page = admin.post(url, {"submission": str(uuid4()), **row.inputs}, follow=True)
    forget_pauses(world)
    notice = admin.post(url, {"submission": str(uuid4()), **row.inputs}, headers=HTMX)
    if "HX-Redirect" in notice.headers:
        notice = admin.get(notice.headers["HX-Redirect"])

    assert (said["kind"], said["outcome"]) == (row.kind, row.outcome)
    assert said["error"].startswith(said["title"])
    for shown in (page, notice):
        text = unescape(shown.content.decode())
        assert said["cause"] in text
        assert ("Try again in " if row.kind == "rate-limited" else said["resolution"]) in text
        assert said["title"] in text
        assert f"/o/acme/troubleshooting/#kind-{row.kind}" in text
    entries = AuditEntry.objects.current().filter(action=row.action)
    assert [(entry.outcome, entry.error_kind) for entry in entries] == [(row.outcome, row.kind)] * 3
    record = unescape(admin.get(reverse("audit-entry", args=["acme", entries[0].entry])).content.decode())
    assert str(error.title) in record
    assert said["cause"] in record
    assert said["resolution"] in record


@pytest.mark.parametrize(
    "row", [row for row in ROWS.values() if row.check], ids=[name for name, row in ROWS.items() if row.check]
)
def test_failure_is_detected_by_the_check_of_the_connection(row: Row, world: World, admin: Client) -> None:
    row.broken(world)
    out = StringIO()

    with suppress(SystemExit):
        call_command("check_connection", "acme", "--json", stdout=out)

    found = {check["key"]: (check["state"], check["kind"]) for check in json.loads(out.getvalue())["checks"]}
    assert found[row.check] == (row.found, row.kind)
    page = admin.get(reverse("connection-check", args=["acme", row.check])).content.decode()
    assert f'data-kind="{row.kind}"' in page


@pytest.mark.parametrize("kind", sorted({row.kind for row in ROWS.values()}))
def test_failure_is_explained_on_the_troubleshooting_page(kind: str, world: World, admin: Client) -> None:
    page = unescape(admin.get(reverse("troubleshooting", args=["acme"])).content.decode())

    explained = page[page.index(f'id="kind-{kind}"') :].partition("</tr>")[0]
    for words in (kinds()[kind].title, kinds()[kind].cause, kinds()[kind].resolution):
        assert str(words) in explained
