"""What an operator can do with a job now: the buttons of its page. Whether they may is decided when they do it."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from console.access import OrgAccess, Permission
from console.jobs.approval import is_demanded
from console.jobs.control import RETRIED
from console.jobs.drafts import may_prepare
from console.jobs.overview import Overview
from console.jobs.plan_rows import not_begun
from console.models import Job
from pingone_integration.texts import Text

State = Job.State
OPEN = frozenset({State.DRAFT, State.READING, State.RUNNING, State.PAUSED, State.WAITING})


@dataclass(frozen=True, kw_only=True)
class Button:
    do: str
    label: Text
    look: str = ""  # class of the button


def buttons_for(access: OrgAccess, overview: Overview) -> Iterator[Button]:
    job = overview.job
    is_own = job.starter_id == access.operator.pk
    if access.viewing_as or not (is_own or access.membership.is_org_admin):
        return
    if job.state == State.RUNNING:
        yield Button(do="pause", label=_("Pause"), look="btn-primary")
    may_run = is_own and may_prepare(access, overview.action)
    if job.state == State.PAUSED and may_run:
        yield Button(do="resume", label=_("Resume"), look="btn-primary")
        if job.started_at and is_demanded(access, job):
            yield Button(do="ask-approval", label=_("Ask for approval"))
    if job.state == State.WAITING and access.allows(Permission.MANAGE_POLICIES) and not (is_own and _has_others(job)):
        yield Button(do="let-pass", label=_("Let it go on"), look="btn-danger")
    if job.state in {State.PAUSED, State.FINISHED} and may_run and any(overview.outcomes[state] for state in RETRIED):
        yield Button(do="retry", label=_("Retry failed rows"))
    if job.state in {State.CANCELED, State.FINISHED} and overview.undoing and overview.undoing.rows:
        yield Button(do="undo", label=_("Undo this job"))
    if job.plan and job.is_over and not_begun(job):
        yield Button(do="cancel-runs", label=_("Cancel the plans that have not begun"), look="btn-outline-danger")
    if job.state in OPEN:
        yield Button(do="cancel", label=_("Cancel the job"), look="btn-outline-danger")
    if job.state == State.PREVIEWED:
        yield Button(do="cancel", label=_("Discard the preview"))


def _has_others(job: Job) -> bool:
    """Return whether there is an org admin other than the starter."""
    return job.organization.org_admins().exclude(pk=job.starter_id).exists()
