"""Notices of jobs: whoever starts one hears of its end on whatever page they are, once.

The session keeps which jobs to look for: a page costs no query while there are none.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest
from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.access import OrgAccess, Permission
from console.models import Job, Organization
from console.session_slot import SessionSlot
from pingone_integration.texts import Text

_MOST = 20  # jobs, of one browser
_MOVING = frozenset({Job.State.DRAFT, Job.State.READING, Job.State.RUNNING})
_TOLD: dict[str, tuple[str, Text]] = {
    Job.State.PREVIEWED: ("info", _("The preview of the job “{name}” is ready.")),
    Job.State.PAUSED: ("warning", _("The job “{name}” has paused.")),
    Job.State.WAITING: ("warning", _("The job “{name}” waits for another org admin.")),
    Job.State.CANCELED: ("warning", _("The job “{name}” was canceled.")),
    Job.State.FINISHED: ("success", _("The job “{name}” is finished.")),
}


@dataclass(frozen=True, kw_only=True)
class News:
    """What became of a job."""

    tone: str  # of the notice
    told: Text
    url: str  # of the job


@dataclass(frozen=True, kw_only=True)
class JobNews:
    """What is new of the jobs of this browser. `awaits_more`: some are still under way."""

    told: tuple[News, ...] = ()
    awaits_more: bool = False


def watch(session: SessionBase, job: Job, name: str) -> None:
    """Tell this browser when the job, under this name, needs its operator again."""
    slot = _slot(session, job.organization)
    names: dict[str, str] = slot.get() or {}
    names.pop(str(job.pk), None)
    slot.set(dict([*names.items(), (str(job.pk), name)][-_MOST:]))


def news_of(request: HttpRequest, access: OrgAccess) -> JobNews:
    """Return the news, each once. A job whose own page is shown is none."""
    slot = _slot(request.session, access.org)
    names: dict[str, str] = slot.get() or {}
    if not names or access.viewing_as or not access.allows(Permission.RUN_JOBS):
        return JobNews()
    jobs = Job.objects.filter(organization=access.org, pk__in=map(UUID, names))
    if access.is_narrowed:
        jobs = jobs.filter(starter=access.operator)
    states = {str(pk): state for pk, state in jobs.values_list("pk", "state")}
    moving = {pk: name for pk, name in names.items() if states.get(pk) in _MOVING}
    if moving != names:
        slot.set(moving) if moving else slot.pop()
    return JobNews(told=tuple(_told(request, access, names, states)), awaits_more=bool(moving))


def _told(request: HttpRequest, access: OrgAccess, names: dict[str, str], states: dict[str, str]) -> Iterator[News]:
    for pk, name in names.items():
        url = reverse("job", args=[access.org.slug, pk])
        if states.get(pk) in _TOLD and request.path != url:
            tone, told = _TOLD[states[pk]]
            yield News(tone=tone, told=format_lazy(str(told), name=name), url=url)


def _slot(session: SessionBase, organization: Organization) -> SessionSlot:
    return SessionSlot(session, f"jobs-{organization.pk}")
