"""The migrated database that test runs copy: never one for other migrations, never with a rest of a killed run."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from django.apps import apps

from tests.support import migrated


def test_edited_migration_has_a_database_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    migration = tmp_path / "migrations" / "0001_initial.py"
    migration.parent.mkdir()
    monkeypatch.setattr(apps, "get_app_configs", lambda: [SimpleNamespace(path=tmp_path)])

    migration.write_text("before")
    before = migrated.template()
    migration.write_text("after")

    assert migrated.template() != before
    assert before.parent == migrated.VAR


def test_copy_takes_the_place_of_what_a_killed_run_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    template, database = tmp_path / "migrated.sqlite3", tmp_path / "test.sqlite3"
    template.write_text("migrated")
    monkeypatch.setattr(migrated, "template", lambda: template)
    for beside in ("", "-wal", "-shm"):
        Path(f"{database}{beside}").write_text("killed")

    assert migrated.copy_to(database)

    assert database.read_text() == "migrated"
    assert sorted(tmp_path.iterdir()) == [template, database]
