"""`manage.py keep_connections_alive`: a connection survives weeks without use."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from console.failures.next_step import resolution_of
from console.models import Membership, Organization
from console.page.connection_status import clock
from pingone_integration.connection import tokens
from pingone_integration.connection.tokens import StoredTokens
from pingone_integration.errors import TokenRefreshFailure, Unavailable
from pingone_integration.models import Connection
from tests.support.outbox import sent_emails
from tests.support.people import lease_ages, make_operator, make_organization
from tests.support.refreshing import (
    expire,
    grant_of,
    has_grace_period,
    is_live,
    kill_a_process_before_it_stores,
    refreshes,
)
from tests.support.relay import Relay, lose_answer
from tests.support.sandbox_connection import connect
from tests.support.sandbox_server import Sandbox

pytestmark = pytest.mark.database


def idle_for(connection: Connection, **span: float) -> Connection:
    Connection.objects.filter(pk=connection.pk).update(refresh_token_issued_at=timezone.now() - timedelta(**span))
    connection.refresh_from_db()
    return connection


def keep_alive(*options: str) -> str:
    out = StringIO()
    call_command("keep_connections_alive", *options, stdout=out, stderr=out)
    return out.getvalue()


@pytest.fixture
def acme(connection: Connection) -> Organization:
    return Organization.objects.create(slug="acme", name="Acme", connection=connection)


def test_idle_connection_is_renewed_before_its_refresh_token_expires(acme: Organization, sandbox: Sandbox) -> None:
    connection = idle_for(acme.connection, days=8)
    grant = grant_of(connection, sandbox)

    assert keep_alive() == "acme: renewed\n"
    assert keep_alive() == "acme: not due\n"

    assert refreshes(sandbox, grant) == 1
    connection.refresh_from_db()
    assert connection.refresh_token_issued_at is not None
    assert timezone.now() - connection.refresh_token_issued_at < timedelta(minutes=1)
    assert connection.state == Connection.State.CONNECTED


@pytest.mark.parametrize(("days", "told"), [("3", "acme: not due\n"), ("1", "acme: renewed\n")])
def test_age_of_a_due_connection_can_be_chosen(acme: Organization, days: str, told: str) -> None:
    idle_for(acme.connection, days=2)

    assert keep_alive("--older-than-days", days) == told


def test_failed_connection_is_marked_and_named_and_the_others_are_renewed(acme: Organization, sandbox: Sandbox) -> None:
    ended = grant_of(idle_for(acme.connection, days=8), sandbox)
    sandbox.sql("UPDATE sandbox_oauth_grant SET revoked_at = ? WHERE id = ?", str(timezone.now()), ended)
    ours = acme.connection
    other = Connection(client_id=ours.client_id, auth_url=ours.auth_url, environment_id=ours.environment_id)
    other.sealed_client_secret = other.seal("client_secret", sandbox.details["client_secret"])
    other.save(force_insert=True)
    Organization.objects.create(slug="zenith", name="Zenith", connection=idle_for(connect(other, sandbox), days=8))
    nobody_connected = make_organization("globex", "Globex")
    Connection.objects.filter(pk=nobody_connected.connection_id).update(state=Connection.State.DISCONNECTED)
    out = StringIO()

    with pytest.raises(CommandError) as caught:
        call_command("keep_connections_alive", stdout=out, stderr=out)

    assert str(caught.value) == "Not renewed: acme"
    assert caught.value.returncode == 1
    acme.connection.refresh_from_db()
    assert acme.connection.access_token_expires_at
    works_until = f"works until {clock(acme.connection.access_token_expires_at)}, then reconnect"
    assert out.getvalue().splitlines() == [
        f"acme: {works_until}. {resolution_of(TokenRefreshFailure)}",
        "globex: disconnected, skipped",
        "zenith: renewed",
    ]
    acme.connection.refresh_from_db()
    assert (acme.connection.state, acme.connection.state_kind) == ("ending", "token-refresh-failure")
    assert keep_alive().startswith(f"acme: {works_until}, skipped\n")

    expire(acme.connection)
    with pytest.raises(CommandError, match="Not renewed: acme"):
        keep_alive()
    assert keep_alive().startswith("acme: reconnect needed, skipped\n")


def test_failed_connection_is_reported_once_by_email_to_its_org_admins(acme: Organization, sandbox: Sandbox) -> None:
    make_operator("admin@acme.test", acme, Membership.Role.ORG_ADMIN)
    grant = grant_of(idle_for(acme.connection, days=8), sandbox)
    sandbox.sql("UPDATE sandbox_oauth_grant SET revoked_at = ? WHERE id = ?", str(timezone.now()), grant)

    with pytest.raises(CommandError):
        keep_alive()
    keep_alive()
    expire(acme.connection)
    with pytest.raises(CommandError):
        keep_alive()
    keep_alive()

    failed, ended = sent_emails()
    assert "works until" in failed.subject
    assert ended.subject == "Acme's connection to PingOne: reconnect needed"
    assert all("invalid_grant" in str(message.body) for message in (failed, ended))


def test_connection_is_restored_after_a_killed_process(unconnected: Connection, sandbox: Sandbox) -> None:
    has_grace_period(unconnected, sandbox)
    connection = connect(unconnected, sandbox)
    Organization.objects.create(slug="acme", name="Acme", connection=connection)
    kill_a_process_before_it_stores(connection, sandbox)

    assert keep_alive() == "acme: renewed\n"

    assert is_live(sandbox, grant_of(connection, sandbox))
    assert StoredTokens(connection.pk).current()
    assert keep_alive() == "acme: not due\n"


@pytest.mark.parametrize("is_early", [False, True], ids=["expired token", "token good for an hour"])
def test_connection_is_restored_after_a_lost_answer(
    through_relay: Connection, relay: Relay, sandbox: Sandbox, is_early: bool
) -> None:
    has_grace_period(through_relay, sandbox)
    connection = connect(through_relay, sandbox)
    if not is_early:
        expire(connection)
    Organization.objects.create(slug="acme", name="Acme", connection=connection)
    relay.on_the_way_back["token"] = lose_answer
    with pytest.raises(Unavailable):
        tokens.renew(connection)
    lease_ages(connection, by=tokens.COOL_DOWN)

    assert keep_alive() == "acme: renewed\n"

    assert is_live(sandbox, grant_of(connection, sandbox))
    connection.refresh_from_db()
    assert connection.state == Connection.State.CONNECTED


def test_trouble_without_a_token_problem_causes_no_refresh(acme: Organization, sandbox: Sandbox) -> None:
    Connection.objects.update(state=Connection.State.NEEDS_ATTENTION)

    assert keep_alive() == "acme: not due\n"

    assert refreshes(sandbox, grant_of(acme.connection, sandbox)) == 0


def test_concurrent_runs_refresh_once(
    through_relay: Connection, relay: Relay, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = idle_for(connect(through_relay, sandbox), days=8)
    Organization.objects.create(slug="acme", name="Acme", connection=connection)
    monkeypatch.setattr(tokens, "WAIT_S", 0.1)
    told: list[str] = []
    relay.on_the_way_back["token"] = lambda: told.append(keep_alive())

    assert keep_alive() == "acme: renewed\n"

    assert told == ["acme: already being renewed\n"]
    assert refreshes(sandbox, grant_of(connection, sandbox)) == 1


def test_run_with_outdated_data_does_not_refresh_again(acme: Organization, sandbox: Sandbox) -> None:
    as_read = idle_for(acme.connection, days=8)
    keep_alive()

    tokens.renew(as_read)

    assert refreshes(sandbox, grant_of(acme.connection, sandbox)) == 1


def test_output_holds_no_secret(acme: Organization, capfd: Any, sandbox: Sandbox) -> None:
    connection = idle_for(acme.connection, days=8)
    secrets = {connection.unseal(column) for column in ("client_secret", "access_token", "refresh_token")}
    call_command("keep_connections_alive")
    connection.refresh_from_db()
    secrets |= {connection.unseal(column) for column in ("access_token", "refresh_token")}

    said = "".join(capfd.readouterr())

    assert "renewed" in said
    assert not any(secret in said for secret in secrets)
