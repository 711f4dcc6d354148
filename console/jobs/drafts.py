"""A new job: its rows are stored as they were read, before anybody asks PingOne about them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction

from console.access import OrgAccess, Permission
from console.actions.action import Action
from console.audit.entries import storable
from console.jobs.limits import require_size
from console.jobs.listed import CLEAR, KeyKind, ListedRow
from console.jobs.plan_action import PlanAction
from console.models import AuditEntry, Job, JobRow
from console.plans.runs import require_each
from pingone_integration.texts import Text, english
from pingone_integration.values import text

_AT_ONCE = 1_000


def create(
    access: OrgAccess,
    action: Action,
    rows: Iterable[ListedRow],
    *,
    key_kind: KeyKind,
    source: Job.Source,
    inputs: Mapping[str, Any] | None = None,
    source_label: Text = "",
    file_name: str = "",
    is_possibly_cut: bool = False,
    channel: AuditEntry.Channel = AuditEntry.Channel.PAGE,
) -> Job:
    """Store a new job with these rows. If `rows` raises, nothing of it stays.

    `inputs` are the same for all rows, by the fields of the action's form. Raises PermissionDenied, and TooManyRows.
    """
    require_to_prepare(access, action)
    with transaction.atomic():
        job = Job.objects.create(
            organization=access.org,
            starter=access.operator,
            action=action.key,
            **_asked(action, storable(dict(inputs or {}))),
            key_kind=key_kind,
            source=source,
            source_label=text(english(source_label)),
            file_name=text(file_name),
            is_possibly_cut=is_possibly_cut,
            channel=channel,
        )
        count = 0
        for some in _in_parts(rows):
            count += len(some)
            require_size(access, count)
            JobRow.objects.bulk_create([stored(job, row) for row in some])
    return job


def _asked(action: Action, inputs: dict[str, Any]) -> dict[str, Any]:
    """Return the columns of a job for what was asked for all rows."""
    return {"plan": replace(action, asked=inputs).stored()} if isinstance(action, PlanAction) else {"inputs": inputs}


def require_to_prepare(access: OrgAccess, action: Action) -> None:
    """Raise PermissionDenied unless this operator may run this action as a job."""
    access.require(Permission.RUN_JOBS)
    if isinstance(action, PlanAction):
        require_each(access, action.definition, action.choices)
    else:
        access.require_to(action)
    if not action.bulk or access.viewing_as is not None:
        raise PermissionDenied(action)


def may_prepare(access: OrgAccess, action: Action) -> bool:
    try:
        require_to_prepare(access, action)
    except PermissionDenied:
        return False
    return True


def stored(job: Job, row: ListedRow) -> JobRow:
    """Return the row as it is before the preview."""
    return JobRow(
        job=job,
        number=row.number,
        key=text(row.key),
        label=text(row.username),
        values={name: None if value is CLEAR else text(value) for name, value in row.values.items()},
        problem=text(english(row.problem or "")),
    )


def _in_parts(rows: Iterable[ListedRow]) -> Iterator[list[ListedRow]]:
    listed = iter(rows)
    while some := list(islice(listed, _AT_ONCE)):
        yield some
