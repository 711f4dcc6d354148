"""Emails about jobs: to the starter when a job ends or pauses by itself, to other org admins when it waits for them."""

from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.jobs.overview import Overview
from console.jobs.plan_action import action_of
from console.jobs.words import OUTCOMES
from console.models import Job, Operator
from console.outbox import emails
from console.user_mails.tell import harmless
from pingone_integration.texts import Text

_NEWS_FOR = timedelta(days=3)
_FINISHED = _("{organization}: the job “{action}” is finished")
_PAUSED = _("{organization}: the job “{action}” has paused")
_WAITS = _("{organization}: a job waits for your approval")


def finished(job: Job) -> None:
    """Tell the starter what became of the rows."""
    _send(job, _starter(job), _FINISHED)


def paused(job: Job) -> None:
    """Tell the starter that the job paused by itself, and why. Nobody is told of the first rows they tried."""
    if job.pause != Job.Pause.FIRST_ROWS:
        _send(job, _starter(job), _PAUSED)


def waits(job: Job) -> None:
    """Ask the other org admins, who see the sum on the job's page; the starter, if there is nobody else."""
    others = job.organization.org_admins().exclude(pk=job.starter_id)
    _send(job, list(others) or _starter(job), _WAITS)


def _starter(job: Job) -> list[Operator]:
    """Return the starter, as long as they belong to the organization."""
    return list(job.organization.active_operators().filter(pk=job.starter_id))


def _send(job: Job, to: Iterable[Operator], subject: Text) -> None:
    overview = Overview(job=job)
    organization = emails.one_line(job.organization.name)
    action = action_of(job).name
    context = {
        "organization": organization,
        "action": action,
        "about": harmless(str(overview.about)),
        "why": overview.pause or "",
        "detail": harmless(job.pause_detail),
        "starter": job.starter.email,
        "outcomes": [
            (label, overview.outcomes[state]) for state, label in OUTCOMES.items() if overview.outcomes[state]
        ],
        "url": settings.PUBLIC_URL + reverse("job", args=[job.organization.slug, job.pk]),
        "deleted": job.delete_after,
    }
    for operator in to:
        emails.write(
            to=operator.email,
            subject=str(format_lazy(str(subject), organization=organization, action=action)),
            body=render_to_string("console/email/job.txt", context),
            about=f"job {job.pk}",
            worth_for=_NEWS_FOR,
            may_repeat=True,
        )
