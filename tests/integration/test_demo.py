"""The demo's begin: connected to its local PingOne, or not."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from console.models import AuditEntry, Operator, Organization
from pingone_integration.models import Connection
from tests.support.sandbox_server import Sandbox

pytestmark = pytest.mark.database


@pytest.fixture
def seed(db: None, sandbox: Sandbox, settings: Any, tmp_path: Path) -> Any:
    """Return a function that seeds the demo and returns what it tells of the connections."""
    settings.PINGONE_CUSTOM_HOSTS = {sandbox.url: sandbox.url}
    settings.PUBLIC_URL = "http://localhost:8000"
    details, report = tmp_path / "sandbox.json", tmp_path / "connections.txt"

    def seeded(**options: bool) -> str:
        details.write_text(json.dumps(sandbox.details))
        call_command("seed_demo", details, report=report, **options)
        return report.read_text()

    return seeded


def states() -> set[str]:
    return {organization.connection.state_now for organization in Organization.objects.all()}


def test_demo_begins_connected_and_on_record(seed) -> None:
    assert seed(connect=True) == "Acme is connected.\nGlobex is connected."

    assert states() == {Connection.State.CONNECTED}
    acme = Organization.objects.get(slug="acme")
    assert acme.connection.managed_environment_name == "Acme production"
    assert acme.connection.consented_by == "Ada Admin (ada.admin)"
    entry = AuditEntry.objects.get(organization=acme)
    assert (entry.action, entry.operator) == ("connection.connected", Operator.objects.get(email="admin@acme.test"))


def test_fresh_demo_is_not_connected_although_it_was(seed) -> None:
    seed(connect=True)

    assert seed(disconnect=True) == "Acme is not connected.\nGlobex is not connected."

    assert states() == {Connection.State.DISCONNECTED}
    assert not any(organization.connection.has_tokens for organization in Organization.objects.all())


def test_demo_starts_although_an_org_admin_has_broken_or_moved_the_connection(seed) -> None:
    seed()
    connection = Organization.objects.get(slug="acme").connection
    connection.sealed_client_secret = connection.seal("client_secret", "wrong-secret")
    connection.save()
    Connection.objects.filter(organization__slug="globex").update(auth_url="https://auth.pingone.eu")

    told = seed(connect=True)

    assert told.startswith("Acme could not be connected (")
    assert "Globex" not in told
