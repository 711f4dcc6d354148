"""What an operator chooses in the preview: rows to leave out, and what to do about perhaps the same person."""

from collections.abc import Collection, Mapping
from uuid import UUID

from console.access import OrgAccess
from console.jobs.control import choosing, require_own
from console.jobs.same_person import decide
from console.models import Job, JobRow
from pingone_integration.values import identifier

Decision = JobRow.Decision


def choose(
    access: OrgAccess, job: Job, shown: Collection[int], *, left_out: Collection[int], decisions: Mapping[int, str]
) -> None:
    """Save the choices about the rows that a page showed. `decisions`: "", a decision, or "update" and a user's ID.

    Raises PermissionDenied, NotPossibleNow and PingOneErrors.
    """
    require_own(access, job)
    rows = job.rows.filter(number__in=shown)
    with choosing(job):
        rows.filter(number__in=left_out).update(left_out=True)
        rows.exclude(number__in=left_out).update(left_out=False)
    for row in rows.filter(number__in=decisions, verdict=JobRow.Verdict.SAME_PERSON):
        decision, user_id = _parts(decisions[row.number])
        if decision and (decision != row.decision or (user_id and user_id != row.user_id)):
            decide(access, job, row, decision, user_id=user_id)


def _parts(typed: str) -> tuple[JobRow.Decision | None, UUID | None]:
    word, _mark, user_id = typed.partition(":")
    return (Decision(word), identifier(user_id)) if word in Decision.values else (None, None)
