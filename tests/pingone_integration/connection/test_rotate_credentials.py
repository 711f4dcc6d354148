"""Rotating the key of the sealed secrets while the servers run."""

from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command

from console.models import Organization
from pingone_integration.errors import SealBroken
from pingone_integration.management.commands.rotate_credentials import Command
from pingone_integration.models import AuthorizationRequest, Connection
from pingone_integration.sealing import reseal

pytestmark = pytest.mark.database

OLD, NEW = (Fernet.generate_key().decode() for _ in range(2))
COLUMNS = ("client_secret", "access_token", "refresh_token")


@pytest.fixture
def two_keys(settings: Any) -> None:
    """Set the old key. The first key is the newest."""
    settings.CREDENTIAL_KEYS = [OLD]


@pytest.fixture
def connection(two_keys: None, acme: Organization, settings: Any) -> Connection:
    """Return Acme's connection, sealed with the old key, after the new key was put in front."""
    settings.CREDENTIAL_KEYS = [NEW, OLD]
    return acme.connection


def opened(connection: Connection) -> list[str]:
    connection.refresh_from_db()
    return [connection.unseal(column) for column in COLUMNS]


def test_old_key_can_be_removed_after_the_rotation(
    connection: Connection, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    waiting = AuthorizationRequest(state_digest="d" * 64, connection=connection, bound_to="me")
    settings.CREDENTIAL_KEYS = [OLD]
    waiting.sealed_nonce = waiting.seal("nonce", "the-nonce")
    waiting.sealed_code_verifier = waiting.seal("code_verifier", "the-verifier")
    waiting.save()
    settings.CREDENTIAL_KEYS = [NEW, OLD]

    call_command("rotate_credentials")

    settings.CREDENTIAL_KEYS = [NEW]
    assert opened(connection) == ["the-client-secret", "the-access-token", "the-refresh-token"]
    waiting.refresh_from_db()
    assert (waiting.unseal("nonce"), waiting.unseal("code_verifier")) == ("the-nonce", "the-verifier")
    assert capsys.readouterr().out == "Secrets sealed with the newest key: 5\n"


def test_rotation_can_be_repeated(connection: Connection, settings: Any) -> None:
    call_command("rotate_credentials")
    call_command("rotate_credentials")

    settings.CREDENTIAL_KEYS = [NEW]
    assert opened(connection) == ["the-client-secret", "the-access-token", "the-refresh-token"]


def test_rotation_does_not_touch_versions_states_or_leases(connection: Connection) -> None:
    def untouched() -> dict[str, object]:
        return {
            name: value for name, value in Connection.objects.values().get().items() if not name.startswith("sealed_")
        }

    before = untouched()

    call_command("rotate_credentials")

    assert untouched() == before


def test_rotation_does_not_overwrite_the_token_of_a_concurrent_refresh(
    connection: Connection, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds = []

    def beaten(place: str, sealed: str) -> str:
        rounds.append(place)
        if place.endswith("/refresh_token") and rounds.count(place) == 1:
            newer = connection.seal("refresh_token", "stored by a refresh")
            Connection.objects.filter(pk=connection.pk).update(sealed_refresh_token=newer)
        return reseal(place, sealed)

    monkeypatch.setattr(f"{Command.__module__}.reseal", beaten)

    call_command("rotate_credentials")

    assert opened(connection)[2] == "stored by a refresh"


def test_rotation_names_and_skips_a_secret_that_cannot_be_opened(
    connection: Connection, globex: Organization, settings: Any
) -> None:
    moved = globex.connection.sealed_refresh_token
    Connection.objects.filter(pk=connection.pk).update(sealed_refresh_token=moved)

    with pytest.raises(CommandError) as caught:
        call_command("rotate_credentials")

    head, *unreadable, remedy = str(caught.value).splitlines()
    assert head == "Secrets that cannot be opened, not changed: 1"
    (one,) = unreadable
    assert one.startswith(f"  Connection {connection.pk}: sealed_refresh_token: They were encrypted for another")
    assert remedy.startswith("Put the key they were sealed with back into CREDENTIAL_KEYS")
    assert caught.value.returncode == 1
    settings.CREDENTIAL_KEYS = [NEW]
    connection.refresh_from_db()
    assert connection.sealed_refresh_token == moved
    assert connection.unseal("client_secret") == "the-client-secret"


def test_output_of_the_rotation_holds_no_secret(connection: Connection, capsys: pytest.CaptureFixture[str]) -> None:
    sealed = connection.sealed_access_token
    Connection.objects.filter(pk=connection.pk).update(sealed_refresh_token="rubbish")

    with pytest.raises(CommandError) as caught:
        call_command("rotate_credentials")

    said = capsys.readouterr().out + str(caught.value)
    assert not any(secret in said for secret in ("the-", "rubbish", sealed, NEW, OLD))


def test_secret_cannot_be_opened_without_its_key(connection: Connection, settings: Any) -> None:
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]

    with pytest.raises(SealBroken):
        connection.unseal("client_secret")
