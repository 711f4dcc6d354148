"""Rotating the credential key while requests run and tokens are renewed: no request fails, and no token is lost."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from threading import Event
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.db import connections
from django.test import Client
from django.utils import timezone

from console.models import Membership, Operator, Organization
from pingone_integration.management.commands.rotate_credentials import Command
from pingone_integration.models import Connection
from pingone_integration.sealing import reseal
from tests.support.people import make_operator
from tests.support.refreshing import grant_of, is_live, refreshes
from tests.support.sandbox_server import Sandbox

pytestmark = pytest.mark.database

WORKERS = 6
ROTATIONS = 5


@pytest.fixture
def operator(connection: Connection, sandbox: Sandbox) -> Operator:
    Connection.objects.filter(pk=connection.pk).update(managed_environment_id=sandbox.details["managed_environment_id"])
    organization = Organization.objects.create(slug="acme", name="Acme", connection=connection)
    return make_operator("agent@acme.test", organization, Membership.Role.HELPDESK_AGENT)


def test_rotation_during_requests_loses_nothing_and_fails_no_request(
    connection: Connection,
    sandbox: Sandbox,
    operator: Operator,
    browser_of: Callable[[Operator], Client],
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    grant = grant_of(connection, sandbox)
    keys = list(settings.CREDENTIAL_KEYS)
    browsers = [browser_of(operator) for _ in range(WORKERS)]
    overtaken: set[str] = set()
    done = Event()

    def work(browser: Client) -> list[int]:
        answers = []
        try:
            while not done.is_set():
                Connection.objects.filter(pk=connection.pk).update(access_token_expires_at=timezone.now())
                answers.append(browser.get("/o/acme/users/").status_code)
        finally:
            connections.close_all()
        return answers

    def version() -> int:
        return Connection.objects.get(pk=connection.pk).token_version

    def overtaken_by_a_refresh(place: str, sealed: str) -> str:
        """Let each rotation meet a refresh between reading and writing back the refresh token."""
        if place.endswith("/refresh_token") and keys[0] not in overtaken:
            overtaken.add(keys[0])
            read = version()
            give_up_at = time.monotonic() + 30
            while version() == read and time.monotonic() < give_up_at:
                done.wait(0.02)
            assert version() != read, "no refresh succeeds any more"
        return reseal(place, sealed)

    monkeypatch.setattr(f"{Command.__module__}.reseal", overtaken_by_a_refresh)
    with ThreadPoolExecutor(WORKERS) as at_once:
        working = [at_once.submit(work, browser) for browser in browsers]
        try:
            for _ in range(ROTATIONS):
                keys = [Fernet.generate_key().decode(), *keys]
                settings.CREDENTIAL_KEYS = keys  # the servers restart with a new key in front
                call_command("rotate_credentials", stdout=StringIO())
                keys = keys[:2]  # the previous key stays for tokens that a request is about to store
        finally:
            done.set()
    answers = [status for one in working for status in one.result()]
    call_command("rotate_credentials", stdout=StringIO())
    settings.CREDENTIAL_KEYS = keys[:1]

    assert set(answers) == {200}
    assert refreshes(sandbox, grant) >= ROTATIONS
    assert is_live(sandbox, grant)
    connection.refresh_from_db()
    assert connection.state == Connection.State.CONNECTED
    assert [event.state for event in connection.events.all()] == ["connected"]
    assert connection.unseal("client_secret") == sandbox.details["client_secret"]
    assert browsers[0].get("/o/acme/users/").status_code == 200
