"""`manage.py migrate` while another process migrates, and migrations that fit the version before."""

import io
from threading import Event, Thread

import pytest
from django.core.management import call_command
from django.db import connection, connections, models
from django.db.migrations import Migration, RunSQL, SeparateDatabaseAndState
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import (
    AddConstraint,
    AddField,
    AddIndex,
    AlterField,
    AlterModelTable,
    AlterUniqueTogether,
    CreateModel,
    DeleteModel,
    RemoveField,
    RenameField,
    RenameModel,
)
from django.db.migrations.operations.base import Operation

from console.server.migration_lock import migration_lock
from tests.support.migration_fit import misfits

# The newest migrations of the last release. A release moves them on.
LAST_RELEASE = {
    "console": "0012_work_and_outbox",
    "pingone_integration": "0007_ending_and_failing_calls",
}


class Told(io.StringIO):
    """What a command wrote, and an event when it wrote that it waits."""

    def __init__(self) -> None:
        super().__init__()
        self.waits = Event()

    def write(self, text: str) -> int:
        if "Waiting" in text:
            self.waits.set()
        return super().write(text)


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_migrate_waits_for_the_process_that_is_migrating() -> None:
    told, ended = Told(), Event()

    def migrate() -> None:
        call_command("migrate", stdout=told, interactive=False)
        ended.set()
        connections.close_all()

    other = Thread(target=migrate, daemon=True)
    with migration_lock(connection, waiting=lambda: pytest.fail("nobody else migrates")):
        other.start()

        assert told.waits.wait(20)
        assert not ended.is_set()
        call_command("migrate", check_unapplied=True)  # only reads, and waits for nobody

    assert ended.wait(20)
    other.join()
    assert "No migrations to apply" in told.getvalue()


@pytest.fixture(scope="module")
def migrations() -> MigrationLoader:
    """Return the migrations as they are on disk."""
    return MigrationLoader(None)


def test_new_migrations_fit_the_version_before(migrations: MigrationLoader) -> None:
    released = list(LAST_RELEASE.items())
    known = {node for leaf in released for node in migrations.graph.forwards_plan(leaf)}
    state = migrations.project_state(released)
    new_models: set[str] = set()
    found: list[str] = []

    for leaf in migrations.graph.leaf_nodes():
        for node in migrations.graph.forwards_plan(leaf):
            if node[0] in LAST_RELEASE and node not in known:
                known.add(node)
                found += misfits(migrations.graph.nodes[node], state, new_models)

    assert set(found) == {problem for problem in found if any(name in problem for name in HARMLESS)}


# The version before never writes rows that these constraints are about.
HARMLESS = ("audit_one_row_per_place_of_server",)  # rows without an organization

DOES_NOT_FIT: dict[str, list[Operation]] = {
    "a column is dropped": [RemoveField("Membership", "role")],
    "a column is renamed": [RenameField("membership", "role", "duty")],
    "a table is dropped": [DeleteModel("Membership")],
    "a table is renamed": [RenameModel("Membership", "Member")],
    "a table gets another name": [AlterModelTable("membership", "members")],
    "a column that nobody fills": [AddField("membership", "note", models.CharField(max_length=9))],
    "a default that only Django knows": [AddField("membership", "note", models.CharField(max_length=9, default=""))],
    "NULL is forbidden": [AlterField("operator", "last_login", models.DateTimeField())],
    "NULL is forbidden, with a default": [AlterField("operator", "last_login", models.DateTimeField(db_default="now"))],
    "shorter": [AlterField("organization", "name", models.CharField(max_length=10))],
    "another type": [AlterField("organization", "name", models.IntegerField())],
    "narrower": [AlterField("organization", "name", models.SlugField(max_length=300))],
    "unique": [AlterField("organization", "name", models.CharField(max_length=300, unique=True))],
    "unique together": [AlterUniqueTogether("organization", {("name", "slug")})],
    "constraint": [AddConstraint("organization", models.CheckConstraint(condition=models.Q(name="x"), name="x"))],
    "SQL": [RunSQL("ALTER TABLE console_membership DROP COLUMN role")],
    "several statements": [RunSQL(["SELECT 1", "ALTER TABLE a ALTER b SET NOT NULL"])],
    "on the database only": [SeparateDatabaseAndState([RemoveField("membership", "role")])],
    "the second of two": [
        AddField("membership", "note", models.TextField(null=True)),
        AlterField("membership", "note", models.TextField()),
    ],
}
FITS: dict[str, list[Operation]] = {
    "a column that may be empty": [AddField("membership", "note", models.TextField(null=True))],
    "a default of the database": [AddField("membership", "note", models.TextField(db_default=""))],
    "groups of a new table": [AddField("membership", "friends", models.ManyToManyField("console.Operator"))],
    "longer": [AlterField("organization", "name", models.CharField(max_length=3_000))],
    "wider": [AlterField("organization", "name", models.TextField())],
    "NULL is allowed": [AlterField("organization", "name", models.CharField(max_length=300, null=True))],
    "an index": [AddIndex("organization", models.Index(fields=["name"], name="by_name"))],
    "a new table, changed before its first release": [
        CreateModel("Later", [("id", models.AutoField(primary_key=True)), ("name", models.TextField())]),
        AddField("later", "note", models.TextField()),
        RemoveField("later", "name"),
    ],
    "forgotten by the models only": [SeparateDatabaseAndState(state_operations=[RemoveField("membership", "role")])],
}


@pytest.mark.parametrize(
    ("change", "is_found"), [*((key, True) for key in DOES_NOT_FIT), *((key, False) for key in FITS)]
)
def test_change_that_breaks_the_version_before_is_found(
    migrations: MigrationLoader, change: str, is_found: bool
) -> None:
    migration = type("Tried", (Migration,), {"operations": (DOES_NOT_FIT | FITS)[change]})("9999_tried", "console")

    found = list(misfits(migration, migrations.project_state(list(LAST_RELEASE.items())), set()))

    assert len(found) == is_found, found
