"""Backup and restore, on the database that the tests run on."""

import io
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections

from console.audit import entries
from console.audit.chain import verify
from console.audit.entries import Subject
from console.backups import postgresql
from console.backups.unusable import Unusable
from console.models import AuditEntry, Operator, Organization
from tests.support.people import make_operator, make_organization

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


def record(organization: Organization, operator: Operator) -> None:
    subject = Subject(kind=AuditEntry.Subject.OPERATOR, id=operator.id, name=operator.email)
    entries.record(organization, "operator.signed-in", operator=operator, subject=subject)


@pytest.fixture
def backup(acme: Organization, org_admin: Operator, tmp_path: Path) -> Path:
    """Make a backup of a console with two rows in its audit log, the second by an operator with an odd name."""
    record(acme, org_admin)
    Operator.objects.filter(pk=org_admin.pk).update(name="Zoë 'Ø' \\. \t;--")
    record(acme, org_admin)
    file = tmp_path / "acme.backup"
    call_command("backup", file, stdout=io.StringIO())
    return file


@pytest.fixture
def lost(backup: Path) -> Iterator[Path]:
    """Lose all tables after the backup. At the end they are there again, whatever happened."""
    lose_all_tables()
    yield backup
    if "console_organization" not in connection.introspection.table_names():
        restore(backup, replace=True)


def lose_all_tables() -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA foreign_keys = OFF")
        for table in connection.introspection.table_names(cursor):
            cascade = "" if connection.vendor == "sqlite" else "CASCADE"
            cursor.execute(f"DROP TABLE IF EXISTS {connection.ops.quote_name(table)} {cascade}")
    connections.close_all()


def restore(file: Path | str, *, replace: bool = False) -> str:
    told = io.StringIO()
    call_command("restore", str(file), replace=replace, stdout=told)
    return told.getvalue()


def test_restore_after_the_loss_of_the_database_gives_the_same_audit_log(lost: Path) -> None:
    restore(lost)

    told = io.StringIO()
    call_command("migrate", interactive=False, stdout=told)
    call_command("verify_audit", stdout=told)
    assert "No migrations to apply" in told.getvalue()
    assert "acme: chain intact, rows checked: 2" in told.getvalue()
    acme, operator = Organization.objects.get(), Operator.objects.get()
    assert operator.name == "Zoë 'Ø' \\. \t;--"
    record(acme, operator)  # IDs and the chain go on where they were
    assert verify(acme) is None
    make_operator("new@acme.test", acme, "auditor")


def test_restore_keeps_data_unless_it_may_replace_it(backup: Path, acme: Organization) -> None:
    make_organization("later", "Later")

    with pytest.raises(CommandError, match=r"already has data, in \w+\. .*--replace"):
        restore(backup)
    assert Organization.objects.filter(slug="later").exists()

    restore(backup, replace=True)
    assert list(Organization.objects.values_list("slug", flat=True)) == ["acme"]
    assert verify(acme) is None


def test_restore_takes_a_database_that_was_only_migrated_as_empty(backup: Path) -> None:
    call_command("flush", interactive=False)
    call_command("migrate", interactive=False, stdout=io.StringIO())

    assert restore(backup) == "Restored. Next: manage.py migrate, then manage.py verify_audit.\n"
    assert Organization.objects.get().slug == "acme"


def test_replacing_removes_the_tables_of_a_later_version(backup: Path) -> None:
    with connection.cursor() as cursor:
        key = "uuid" if connection.vendor == "postgresql" else "char(32)"
        cursor.execute(f"CREATE TABLE later (org {key} REFERENCES console_organization (id))")

    restore(backup, replace=True)

    assert "later" not in connection.introspection.table_names()


def test_damaged_backup_changes_nothing(backup: Path) -> None:
    make_organization("later", "Later")
    whole = backup.read_bytes()

    for damaged in (whole[: len(whole) // 2], whole[:-200], whole[:1000], whole[:16], b"", b"PK\3\4" + whole):
        backup.write_bytes(damaged)
        with pytest.raises(CommandError, match=r"damaged|not a backup|failed"):
            restore(backup, replace=True)

    assert Organization.objects.count() == 2


def test_backup_of_a_newer_version_is_refused(tmp_path: Path, acme: Organization) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('console', '9999_later', CURRENT_TIMESTAMP)"
        )
    try:
        call_command("backup", tmp_path / "newer", stdout=io.StringIO())
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM django_migrations WHERE name = '9999_later'")

    with pytest.raises(CommandError, match=r"newer version .* console\.9999_later"):
        restore(tmp_path / "newer", replace=True)


def test_backup_of_the_other_database_is_refused(tmp_path: Path) -> None:
    other = b"PGDMP\1\16" if connection.vendor == "sqlite" else b"SQLite format 3\0"
    (tmp_path / "other").write_bytes(other + bytes(100))

    with pytest.raises(CommandError, match=r"one of .*, and DATABASE_URL names"):
        restore(tmp_path / "other")


def test_backup_is_private_complete_and_overwrites_nothing(backup: Path) -> None:
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert [path.name for path in backup.parent.iterdir()] == [backup.name]

    before = backup.read_bytes()
    with pytest.raises(CommandError, match="exists already"):
        call_command("backup", backup)
    assert backup.read_bytes() == before
    with pytest.raises(CommandError, match="No such file or directory"):
        call_command("backup", backup.parent / "nowhere" / "file")


def test_backup_and_restore_work_through_pipes(
    acme: Organization, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    piped = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(buffer=piped))
    call_command("backup", "-")
    monkeypatch.undo()
    Organization.objects.update(name="Changed")

    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(piped.getvalue())))
    restore("-", replace=True)

    assert Organization.objects.get().name == "Acme"


def test_missing_tools_of_postgresql_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(Unusable, match=r"pg_dump is not installed\. Debian: apt-get install postgresql-client"):
        postgresql.save(connection, tmp_path / "new")
    with pytest.raises(Unusable, match=r"pg_restore is not installed"):
        postgresql.migrations_in(connection, tmp_path / "new")
