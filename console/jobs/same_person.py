"""The decision on a new user who is perhaps somebody that PingOne has already: update, create or leave out."""

from uuid import UUID

from django.utils.translation import gettext_lazy as _

from console import visible_users
from console.access import OrgAccess
from console.actions.catalogue import BY_KEY
from console.jobs.control import NotPossibleNow, choosing, require_own
from console.jobs.dry_run import SAVED
from console.jobs.new_user_preview import LookingAtNewUsers
from console.jobs.plan_action import action_of
from console.jobs.row_choice import UPDATE
from console.jobs.user_preview import Looking
from console.models import Job, JobRow

_DECIDED = _("This row needs no decision, or the job has started.")
_NOT_AMONG_THEM = _("Choose one of the users that are perhaps the same person.")


def decide(access: OrgAccess, job: Job, row: JobRow, decision: JobRow.Decision, *, user_id: UUID | None = None) -> None:
    """Decide about a row before the start. An update reads the user, and the row shows what would change.

    Raises PermissionDenied, NotPossibleNow and PingOneErrors.
    """
    require_own(access, job)
    is_open = row.job_id == job.pk and job.state == Job.State.PREVIEWED
    if not is_open or row.verdict != JobRow.Verdict.SAME_PERSON:
        raise NotPossibleNow(_DECIDED)
    if decision == JobRow.Decision.UPDATE:
        update = BY_KEY[UPDATE]
        access.require_to(update)
        if str(user_id) not in {one["id"] for one in row.same_as} or user_id is None:
            raise NotPossibleNow(_NOT_AMONG_THEM)
        Looking(access, job, update).at_user(row, visible_users.get(access, access.pingone(), user_id))
        if row.verdict == JobRow.Verdict.CHANGE:
            row.verdict = JobRow.Verdict.SAME_PERSON
    elif row.decision == JobRow.Decision.UPDATE:
        LookingAtNewUsers(access, job, action_of(job)).again_as_new(row)
    row.decision = decision
    with choosing(job):
        row.save(update_fields=[*SAVED, "decision"])
