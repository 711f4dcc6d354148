"""The checks of a connection with the sandbox on a real socket."""

import json
from io import StringIO
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError, call_command

from console.models import Organization
from pingone_integration.checks import CHECKS, Result, State, Subject, run_all
from pingone_integration.connection import grants
from pingone_integration.connection.oauth import open_client
from pingone_integration.models import Connection
from tests.support.sandbox_connection import connect
from tests.support.sandbox_server import Sandbox


def results(connection: Connection, sandbox: Sandbox) -> dict[str, Result]:
    subject = Subject(connection, sandbox.details["redirect_uris"][0])
    return {result.check.key: result for result in run_all(subject)}


def failed(found: dict[str, Result]) -> dict[str, str]:
    """Return the kinds of failed checks by key."""
    return {key: result.finding.kind for key, result in found.items() if result.state == State.FAILED}


def set_columns(connection: Connection, **columns: Any) -> Connection:
    Connection.objects.filter(pk=connection.pk).update(**columns)
    connection.refresh_from_db()
    return connection


def test_good_connection_passes_every_check_that_can_be_decided(connection: Connection, sandbox: Sandbox) -> None:
    version = connection.token_version

    found = results(connection, sandbox)

    assert list(found) == [check.key for check in CHECKS]
    assert {key for key, result in found.items() if result.state != State.PASSED} == {
        "change-users",  # Mara may not read her own roles in the environment where she signs in
        "change-groups",
        "manage-passwords",
        "sign-on-due",
    }
    assert {result.state for result in found.values()} == {State.PASSED, State.CANNOT_TELL}
    connection.refresh_from_db()
    assert connection.token_version == version


def test_wrong_secret_is_detected_and_ends_nothing(connection: Connection, sandbox: Sandbox) -> None:
    set_columns(connection, sealed_client_secret=connection.seal("client_secret", "not the secret"))

    found = results(connection, sandbox)

    assert failed(found) == {"credentials": "authentication-error"}
    assert found["read-users"].state == State.SKIPPED
    connection.refresh_from_db()
    assert connection.state == Connection.State.CONNECTED
    set_columns(connection, sealed_client_secret=connection.seal("client_secret", sandbox.details["client_secret"]))
    assert failed(results(connection, sandbox)) == {}


def test_unknown_environment_is_detected(connection: Connection, sandbox: Sandbox) -> None:
    set_columns(connection, environment_id=uuid4())

    assert failed(results(connection, sandbox)) == {
        "discovery": "unknown-environment",
        "environment": "unknown-environment",
    }


def test_unknown_application_is_detected_before_the_first_connect(unconnected: Connection, sandbox: Sandbox) -> None:
    set_columns(unconnected, client_id=str(uuid4()))

    assert failed(results(unconnected, sandbox)) == {
        "credentials": "authentication-error",
        "tokens": "not-connected",
    }


def test_revoked_grant_is_detected_when_the_token_has_to_be_renewed(connection: Connection, sandbox: Sandbox) -> None:
    refresh_token = connection.unseal("refresh_token")
    grants.revoke_tokens(open_client(connection), access_token="", refresh_token=refresh_token)
    set_columns(connection, access_token_expires_at=connection.consented_at)

    found = failed(results(connection, sandbox))
    assert found == dict.fromkeys(("refresh", "sign-on-due"), "token-refresh-failure")
    connection.refresh_from_db()
    assert connection.state == Connection.State.RECONNECT_NEEDED


def test_missing_role_is_named(unconnected: Connection, sandbox: Sandbox) -> None:
    connection = connect(unconnected, sandbox, "enno.environment")

    found = results(connection, sandbox)

    assert failed(found) == {"read-users": "missing-permission"}
    assert "dir:read:user" in str(found["read-users"].finding.text)
    assert "Identity Data Read Only" in str(found["read-users"].finding.advice)


def test_environment_without_a_role_is_told_apart_from_a_missing_permission(
    connection: Connection, sandbox: Sandbox
) -> None:
    set_columns(connection, managed_environment_id=UUID(sandbox.details["second_environment_id"]))

    found = results(connection, sandbox)

    assert failed(found) == {"managed-environment": "missing-permission"}
    assert "has no role on the environment" in str(found["managed-environment"].finding.text)
    assert found["read-users"].state == State.SKIPPED

    set_columns(connection, managed_environment_id=uuid4())
    assert failed(results(connection, sandbox)) == {"managed-environment": "target-not-found"}


def test_changes_are_judged_by_the_roles_that_pingone_shows(unconnected: Connection, sandbox: Sandbox) -> None:
    own = sandbox.sql(
        "SELECT a.id, u.id AS person FROM sandbox_roleassignment a JOIN sandbox_user u ON u.id = a.user_id"
        " WHERE json_extract(u.profile, '$.username') = 'ivan.identity'"
    )[0]
    second = sandbox.copy(
        "sandbox_roleassignment", own["id"], scope_id=UUID(sandbox.details["managed_environment_id"]).hex
    )
    try:
        connection = connect(unconnected, sandbox, "ivan.identity")
        set_columns(connection, managed_environment_id=UUID(sandbox.details["managed_environment_id"]))

        found = results(connection, sandbox)
        assert {found[key].state for key in ("change-users", "change-groups", "manage-passwords")} == {State.PASSED}
        assert "Identity Data Admin" in str(found["change-users"].finding.text)

        reader = sandbox.sql("SELECT id FROM sandbox_role WHERE name = 'Identity Data Read Only'")[0]["id"]
        sandbox.sql("UPDATE sandbox_roleassignment SET role_id = ? WHERE id = ?", reader, second)
        assert failed(results(connection, sandbox)) == {
            "change-users": "missing-permission",
            "change-groups": "missing-permission",
            "manage-passwords": "missing-permission",
        }
    finally:
        sandbox.sql("DELETE FROM sandbox_roleassignment WHERE id = ?", second)


def test_command_reports_the_checks_and_its_exit_status(connection: Connection, sandbox: Sandbox) -> None:
    Organization.objects.create(slug="acme", name="Acme", connection=connection)

    told = StringIO()
    call_command("check_connection", "acme", "--json", stdout=told)
    body = json.loads(told.getvalue())
    assert body["passed"] is True
    assert [check["key"] for check in body["checks"]] == [check.key for check in CHECKS]

    set_columns(connection, sealed_client_secret=connection.seal("client_secret", "not the secret"))
    told = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("check_connection", "acme", stdout=told)
    assert ended.value.code == 1
    assert "failed" in told.getvalue()
    assert "not the secret" not in told.getvalue()

    with pytest.raises(CommandError, match="No such organization: globex"):
        call_command("check_connection", "globex")
