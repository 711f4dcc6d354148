"""A wait of a run: how long it still lasts, and what happens at its end."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from console.models import PlanRun, PlanRunStep
from console.plans.ahead import deletes, is_anything_after, only_takes_away, until_next_wait
from console.plans.definition import WaitStep
from console.plans.held import Held
from console.plans.waits import ANNOUNCED_BEFORE, LATEST, due_after

State, Stop, StepState = PlanRun.State, PlanRun.Stop, PlanRunStep.State


def left_to_wait(held: Held, number: int, step: WaitStep) -> timedelta | None:
    """Return how long this wait still lasts; None: it is over. A delete after it is announced on the way."""
    row, now = held.rows[number], timezone.now()
    if not is_anything_after(held.definition, number, held.run.choices):
        held.store(row, state=StepState.LEFT_OUT, reached_at=now)
        return None
    if row.due_at is None:
        due = due_after(step, number, now, held.run)
        with transaction.atomic():
            held.store(row, state=StepState.STARTED, reached_at=now, due_at=due)
            held.turn(State.RUNNING, State.WAITING)
    due = row.due_at or now
    following = list(until_next_wait(held.definition, number, held.run.choices))
    if deletes(following) and held.run.announced_at is None:
        if (announce := due - ANNOUNCED_BEFORE) > now:
            return announce - now
        held.announce()
    if due > now:
        return due - now
    if now - due > LATEST and not only_takes_away(held.definition.kind, following):
        held.stop(Stop.LATE)
        return None
    with transaction.atomic():
        held.store(row, state=StepState.DONE)
        held.turn(State.WAITING, State.RUNNING)
    return None
