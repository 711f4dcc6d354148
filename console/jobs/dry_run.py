"""The preview of a job (dry run): row by row what would happen, without a write.

It goes on where it ended: a row without a verdict has not been looked at.
"""

from collections.abc import Callable

from console.access import OrgAccess
from console.jobs import repeats
from console.jobs.new_user_preview import LookingAtNewUsers
from console.jobs.plan_action import PlanAction, action_of
from console.jobs.plan_preview import LookingAtPlans
from console.jobs.undo_preview import LookingAtUndo
from console.jobs.user_preview import Looking
from console.models import Job, JobRow

AT_ONCE = 100  # rows
SAVED = ("user_id", "label", "full_name", "population_id", "verdict", "shown", "same_as", "detail", "inputs")


def looking(access: OrgAccess, job: Job) -> Looking:
    """Return how to look at the rows of this job."""
    action = action_of(job)
    if isinstance(action, PlanAction):
        return LookingAtPlans(access, job, action)
    if job.undoes_id or job.source == Job.Source.UNDO:
        return LookingAtUndo(access, job, action)
    return (Looking if action.needs_user else LookingAtNewUsers)(access, job, action)


def run(looking: Looking, job: Job, goes_on: Callable[[], bool]) -> bool:
    """Look at the rows that have no verdict yet. Return False if `goes_on` said to stop before the end.

    Raises PingOneErrors: what was looked at is stored.
    """
    while rows := list(job.rows.filter(verdict="").order_by("number")[:AT_ONCE]):
        if not goes_on():
            return False
        looking.at(rows)
        JobRow.objects.bulk_update(rows, SAVED)
    repeats.mark(job)
    return True
