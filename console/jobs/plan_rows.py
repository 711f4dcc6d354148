"""Rows that start a plan, and canceling the runs of a job that have not begun.

A run has the submission of its row as its ID, so that no row starts two.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from console import visible_users
from console.access import OrgAccess
from console.audit.entries import Circumstances
from console.jobs import still_inactive
from console.jobs.plan_action import PlanAction
from console.jobs.still_inactive import ActiveAgain
from console.limits import brake
from console.models import AuditEntry, Job, JobRow, PlanRun
from console.plans import runs
from console.plans.ahead import chosen_steps
from console.plans.runs import Start
from pingone_integration.texts import Text
from pingone_integration.users import User
from pingone_integration.values import identifier

_DAY = timedelta(days=1)
_LASTS = _("What the plan has done cannot be undone with the job: see each user's page.")


def start(access: OrgAccess, job: Job, row: JobRow, action: PlanAction, circumstances: Circumstances) -> PlanRun:
    """Start the plan for the person of this row, or return the run that the row has started before.

    Raises PingOneErrors, NotPossibleNow of plans, ActiveAgain, PermissionDenied, Http404, and BrakeReached with nothing
    done.
    """
    if run := PlanRun.objects.filter(organization=access.org, pk=row.submission).first():
        return run
    person = visible_users.get(access, access.pingone(), row.user_id)  # type: ignore[arg-type]  # of a row that runs
    plan = action.start(identifier(row.inputs.get("replaces") or ""))
    if before := still_inactive.before_of(job):
        if still_inactive.active_again(access.org, [person], before):
            raise ActiveAgain
        plan = replace(plan, looks_first=True)  # it may begin at a later time
    if not circumstances.passes_brake:
        _check_brake(access, job, person, plan)
    return runs.start(access, person, plan, circumstances, row=row)


def _check_brake(access: OrgAccess, job: Job, person: User, plan: Start) -> None:
    """Raise BrakeReached if this start is one too many, with the runs that are scheduled for the same day."""
    keys = [step.action for _number, step in chosen_steps(plan.definition, plan.choices)]
    braked = next((key for key in keys if key in brake.ACTIONS), "")
    if not braked:
        return
    at = plan.when.at if plan.when else timezone.now()
    planned = PlanRun.objects.filter(organization=access.org, state=PlanRun.State.SCHEDULED)
    planned = planned.filter(starts_at__range=(at - _DAY, at + _DAY)).exclude(person_id=person.id)
    row = AuditEntry(
        organization=access.org,
        channel=AuditEntry.Channel.JOB,
        action=braked,
        subject_id=str(person.id),
        subject_population=person.population_id,
    )
    brake.check(row, planned=planned.count(), planned_of=planned.filter(population_id=person.population_id).count())


def _not_begun(job: Job) -> QuerySet[PlanRun]:
    return PlanRun.objects.filter(job=job, state=PlanRun.State.SCHEDULED)


def not_begun(job: Job) -> int:
    """Return how many runs that the job has started are still to begin."""
    return _not_begun(job).count()


def undoing_told(job: Job) -> Iterator[Text]:
    """Yield what of a job can be taken back: its runs that have not begun can be canceled, and nothing else."""
    yield _LASTS
    if count := not_begun(job):
        told = ngettext_lazy("{count} plan has not begun.", "{count} plans have not begun.", count)
        yield format_lazy(told, count=count)


def cancel_runs(access: OrgAccess, job: Job) -> int:
    """Cancel the runs that have not begun. Return how many. Raises PermissionDenied."""
    count = 0
    for run in _not_begun(job).select_related("organization__connection"):
        try:
            runs.cancel(access, run)
        except runs.NotPossibleNow:  # begun just now
            continue
        count += 1
    return count
