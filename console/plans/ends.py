"""What runs for a time: its end, which an operator changes like the start."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from console.access import OrgAccess
from console.models import PlanRun, PlanRunStep, PlanWork
from console.plans import approval
from console.plans.ahead import date_waits
from console.plans.dates import When
from console.plans.definition import read
from console.plans.record import record
from console.plans.runs import NotPossibleNow, left_of, require_each, require_ends, turn, unapproved

State = PlanRun.State

_NO_END = _("This has ended, or has not begun. Reload the page.")


def date_choice(when: When) -> dict[str, str]:
    """Return a date as the choices of a run keep it."""
    return {"date": when.local, "zone": when.zone, "at": when.at.isoformat()}


def open_end(run: PlanRun) -> int | None:
    """Return the number of the wait until a date that is to come or under way; None: there is none."""
    if run.state not in {State.SCHEDULED, State.RUNNING, State.WAITING}:
        return None
    over = set(run.steps.filter(state__in=PlanRunStep.OVER).values_list("number", flat=True))
    return next((number for number in date_waits(read(run.definition)) if number not in over), None)


def change_end(access: OrgAccess, run: PlanRun, end: When | None) -> None:
    """Give what runs for a time another end; None: now, once it has begun. Raises PermissionDenied, NotPossibleNow."""
    access = access.again()
    number = open_end(run)
    if number is None or (end is None and run.state != State.WAITING):
        raise NotPossibleNow(_NO_END)
    require_each(access, left_of(run), run.choices)
    with unapproved():
        approval.require_unbound(run)
    chosen = date_choice(end) if end else {"at": timezone.now().isoformat()}
    choices = run.choices | {str(number): chosen}
    if run.state == State.SCHEDULED:
        require_ends(read(run.definition), choices, run.starts_at)
    at = datetime.fromisoformat(chosen["at"])
    with transaction.atomic():
        turn(run, [State(run.state)], State(run.state), choices=choices)
        if run.steps.filter(number=number, state=PlanRunStep.State.STARTED).update(due_at=at):
            PlanWork.want(run, at)
        told = {"until": at.isoformat(timespec="minutes")} | ({"zone": end.zone} if end else {})
        record(run, "plan.rescheduled", access.operator, inputs=told)
