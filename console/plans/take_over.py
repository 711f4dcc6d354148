"""Taking over runs whose starter leaves, or canceling them: several at once."""

from collections.abc import Collection

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone

from console.access import OrgAccess
from console.audit.entries import Circumstances
from console.models import Operator, PlanRun
from console.plans import runs
from console.plans.record import record

State = PlanRun.State
_NOT_STOPPED = (State.SCHEDULED, State.RUNNING, State.WAITING)  # a run that asks is taken over by letting it go on


def open_runs_of(access: OrgAccess, starter: Operator, ids: Collection[str] | None = None) -> list[PlanRun]:
    """Return the open runs that this operator started, about users whom the reader may see. `ids`: only these."""
    found = PlanRun.objects.filter(organization=access.org, starter=starter, state__in=PlanRun.OPEN)
    listed = found.select_related("organization__connection", "starter").order_by("starts_at")
    return [run for run in listed if access.sees_population(run.population_id) and (ids is None or str(run.pk) in ids)]


def take_over(access: OrgAccess, run: PlanRun, circumstances: Circumstances) -> None:
    """Let the run go on as this operator's. Raises PermissionDenied unless they may do all that is to come."""
    access = access.again()
    runs.require_each(access, runs.left_of(run), run.choices)
    with transaction.atomic():
        runs.turn(
            run,
            _NOT_STOPPED,
            State(run.state),
            starter=access.operator,
            populations=None if access.populations is None else sorted(map(str, access.populations)),
            signed_in_at=circumstances.signed_in_at,
            met_at=timezone.now(),
        )
        record(run, "plan.taken-over", access.operator)


def change_several(access: OrgAccess, found: Collection[PlanRun], do: str, circumstances: Circumstances) -> int:
    """Take over or cancel these runs. Return how many; those that are over meanwhile, or not allowed, are left."""
    count = 0
    for run in found:
        try:
            if do == "cancel":
                runs.cancel(access, run)
            elif run.state == State.STOPPED:
                runs.resume(access, run, circumstances)
            else:
                take_over(access, run, circumstances)
        except (PermissionDenied, runs.NotPossibleNow):
            continue
        count += 1
    return count
