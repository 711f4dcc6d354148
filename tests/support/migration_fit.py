"""What in a migration would break the version before, which still serves while the migration runs, and after it."""

import re
from collections.abc import Iterator

from django.db import models
from django.db.migrations import Migration, RunSQL, SeparateDatabaseAndState, operations
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import NOT_PROVIDED

REMOVES = (
    operations.RemoveField,
    operations.RenameField,
    operations.DeleteModel,
    operations.RenameModel,
    operations.AlterModelTable,
)
CONSTRAINS = (operations.AddConstraint, operations.AlterUniqueTogether)
WIDER_TYPES = {"CharField": ["TextField"], "SlugField": ["CharField", "TextField"], "IntegerField": ["BigIntegerField"]}
_SQL_THAT_BREAKS = re.compile(r"\b(DROP|RENAME|NOT\s+NULL|UNIQUE|LOCK)\b", re.IGNORECASE)


def misfits(migration: Migration, state: ProjectState, new_models: set[str]) -> Iterator[str]:
    """Yield a sentence for each operation that does not fit. Move `state` on to after the migration.

    `new_models`: what the version before does not know, and so cannot miss. Models that are created are added.
    """
    for operation in migration.operations:
        before = state.clone()
        for step in _on_the_database(operation):
            model = getattr(step, "model_name", getattr(step, "name", getattr(step, "old_name", ""))).lower()
            if isinstance(step, operations.CreateModel):
                new_models.add(model)
            elif model not in new_models and (why := _why_not(step, migration.app_label, model, before)):
                yield f"{migration.app_label}.{migration.name}: {step.describe()}: {why}"
        operation.state_forwards(migration.app_label, state)


def _on_the_database(operation: Operation) -> list[Operation]:
    if isinstance(operation, SeparateDatabaseAndState):
        return list(operation.database_operations)
    return [operation]


def _why_not(step: Operation, app: str, model: str, before: ProjectState) -> str:
    if isinstance(step, REMOVES):
        return "the version before still uses it: stop using it now, remove it in the next release"
    if isinstance(step, CONSTRAINS):
        return "the version before may write rows that break it: add it in the next release"
    if isinstance(step, operations.AddField) and not _may_be_left_out(step.field):
        return "the version before inserts rows without it: null=True or db_default"
    if isinstance(step, operations.AlterField):
        return _why_not_altered(before.models[app, model].fields[step.name], step.field)
    if isinstance(step, RunSQL) and _SQL_THAT_BREAKS.search(str(step.sql)):
        return "looks like a change that the version before does not survive"
    return ""


def _may_be_left_out(field: models.Field) -> bool:
    return field.many_to_many or field.null or field.db_default is not NOT_PROVIDED


def _why_not_altered(old: models.Field, new: models.Field) -> str:
    if old.null and not new.null:
        return "the version before still writes NULL: forbid it in the next release"
    if new.unique and not old.unique:
        return "the version before may write a value twice: make it unique in the next release"
    if (old.max_length or 0) > (new.max_length or old.max_length or 0):
        return "the version before writes longer values"
    old_type, new_type = old.get_internal_type(), new.get_internal_type()
    if old_type != new_type and new_type not in WIDER_TYPES.get(old_type, ()):
        return "the version before reads and writes another type"
    return ""
