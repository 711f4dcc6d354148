"""Undoing a job: the inverse of each row that took effect, as a new job with a preview of its own."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.access import OrgAccess
from console.actions.catalogue import BY_KEY
from console.jobs import plan_rows
from console.jobs.control import NotPossibleNow, start_dry_run
from console.jobs.drafts import require_to_prepare
from console.jobs.listed import KeyKind
from console.models import AuditEntry, Job, JobRow, PeopleList
from pingone_integration.texts import Text

_NO_INVERSE = _("“{action}” cannot be undone.")
_RUNS = _("Cancel the job first, or wait until it is finished.")
_NOTHING = _("No row of this job took effect.")
_AT_ONCE = 1_000


@dataclass(frozen=True, kw_only=True)
class Undoing:
    """What an undo of a job can reach."""

    rows: int  # that can be undone
    lasting: int  # rows that took effect, and stay
    problem: Text = ""  # why there is no undo at all


def what_can_be_undone(job: Job) -> Undoing:
    """Return what an undo would reach. It is possible until the job's rows are deleted: `job.delete_after`."""
    done = job.rows.filter(state=JobRow.State.DONE)
    count = done.count()
    if job.plan:
        return Undoing(rows=0, lasting=count, problem=" ".join(map(str, plan_rows.undoing_told(job))))
    inverse = BY_KEY[job.action].undo
    if inverse is None and job.source != Job.Source.UNDO:
        updates = done.filter(decision=JobRow.Decision.UPDATE).count()
        told = "" if updates else format_lazy(_NO_INVERSE, action=BY_KEY[job.action].name)
        return Undoing(rows=updates, lasting=count - updates, problem=told)
    return Undoing(rows=count, lasting=0, problem="" if count else _NOTHING)


def undo_job(access: OrgAccess, job: Job) -> Job:
    """Return a new job, whose inverse rows the worker stores before it makes the preview.

    Raises PermissionDenied, NotPossibleNow.
    """
    if job.organization_id != access.org.pk:
        raise PermissionDenied
    if not job.is_over:
        raise NotPossibleNow(_RUNS)
    if problem := what_can_be_undone(job).problem:
        raise NotPossibleNow(problem)
    undone = BY_KEY[job.action].undo or BY_KEY["user.update"].undo
    action = BY_KEY[undone.action] if undone else BY_KEY[job.action]
    if job.source == Job.Source.UNDO and undone is None:
        raise NotPossibleNow(format_lazy(_NO_INVERSE, action=action.name))
    require_to_prepare(access, action)
    with transaction.atomic():
        inverse = Job.objects.create(
            organization=access.org,
            starter=access.operator,
            action=action.key,
            key_kind=KeyKind.ID,
            source=Job.Source.UNDO,
            source_label=job.file_name or job.source_label,
            channel=AuditEntry.Channel.PAGE,
            undoes=job,
        )
        PeopleList.objects.create(organization=access.org, made_by=access.operator, source=Job.Source.UNDO, job=inverse)
        start_dry_run(access, inverse)
    return inverse


def rows_of(inverse: Job) -> Iterator[JobRow]:
    """Yield the rows of a job that undoes another, the last first. The worker stores them."""
    job = inverse.undoes
    if job is None:  # deleted since
        return
    rows = job.rows.filter(state=JobRow.State.DONE).exclude(entry=None).order_by("-number")
    if BY_KEY[job.action].undo is None:
        rows = rows.filter(decision=JobRow.Decision.UPDATE)
    number, some = 0, list(rows[:_AT_ONCE])
    while some:
        for row in some:
            number += 1
            yield JobRow(job=inverse, number=number, key=str(row.user_id), label=row.label, undone_entry=row.entry)
        some = list(rows.filter(number__lt=some[-1].number)[:_AT_ONCE])
