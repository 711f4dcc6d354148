"""Which rows of a job run, and with which action, as it was decided in the preview."""

from django.db.models import Q, QuerySet

from console.models import Job, JobRow

UPDATE = "user.update"  # of a row that was decided to be an update of somebody

Verdict, Decision = JobRow.Verdict, JobRow.Decision


def runnable(job: Job) -> Q:
    """Return the condition of the rows that run, as it was decided so far."""
    same = Q(verdict=Verdict.SAME_PERSON, decision__in=(Decision.UPDATE, Decision.CREATE))
    return Q(left_out=False) & (Q(verdict__in=(Verdict.CHANGE, Verdict.CREATE)) | same)


def to_be_run(job: Job) -> QuerySet[JobRow]:
    """Return the rows that a start or resume would run."""
    return job.rows.filter(runnable(job), state=JobRow.State.NOT_REACHED)


def key_of(job: Job, row: JobRow) -> str:
    """Return the key of the action of a row: that of the job, unless it was decided to update somebody instead."""
    return UPDATE if row.decision == Decision.UPDATE else job.action
