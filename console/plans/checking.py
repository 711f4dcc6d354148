"""Whether a run is done before it waits or ends: a last read says so, or it tries again, or asks."""

from django.utils.translation import gettext_lazy as _

from console.models import PlanRun, PlanRunStep
from console.plans.definition import DELETES, ActionStep, Kind, WaitStep
from console.plans.done import MOST_ROUNDS, is_covered, left_of
from console.plans.held import Held
from pingone_integration.texts import Text, english

Stop, StepState = PlanRun.Stop, PlanRunStep.State
WENT_WRONG = (StepState.REFUSED, StepState.FAILED, StepState.UNKNOWN)

_SEEN_DONE = _("A last read shows that it is done.")


def is_boundary(held: Held, number: int | None) -> bool:
    """Return whether a last read comes first: the run is at its end, or before a wait that has not begun."""
    if number is None:
        return True
    is_wait = isinstance(held.definition.steps[number - 1], WaitStep)
    return is_wait and held.rows[number].state == StepState.TO_COME


def is_checked(held: Held, number: int | None) -> bool:
    """Return whether what was to be taken away is gone. Else it is tried again, at most three times, or asked."""
    run, last = held.run, (number or len(held.definition.steps) + 1) - 1
    went_wrong = [row for row in held.rows.values() if row.state in WENT_WRONG]
    if held.definition.kind is Kind.LEAVE and run.checked < last and not _is_deleted(held):
        left = _left(held)
        again = {of for of, _told in left if held.rows[of].state in PlanRunStep.OVER}
        if again and run.rounds < MOST_ROUNDS:
            held.change(rounds=run.rounds + 1)
            for of in again:
                held.store(held.rows[of], **held.rows[of].next_attempt())
            return False
        if left:
            held.stop(Stop.NOT_FINISHED, " ".join(dict.fromkeys(english(told) for _of, told in left)))
            return False
        for row in went_wrong:
            if is_covered(held.definition.steps[row.number - 1]):
                held.store(row, state=StepState.DONE, detail=english(_SEEN_DONE))
        went_wrong = [row for row in went_wrong if row.state in WENT_WRONG]
    if went_wrong:
        held.stop(Stop.FAILED, went_wrong[0].detail)
        return False
    held.change(checked=last, rounds=0)
    return True


def _left(held: Held) -> list[tuple[int, Text]]:
    return held.asked(lambda: list(left_of(held.definition, held.rows, held.api, held.user())))


def _is_deleted(held: Held) -> bool:
    last = held.definition.steps[-1]
    row = held.rows[len(held.definition.steps)]
    return (
        isinstance(last, ActionStep) and last.action == DELETES and row.state in {StepState.DONE, StepState.NO_CHANGE}
    )
