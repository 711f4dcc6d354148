"""The calendar of runs: what asks, what runs now, what is to come by day, and what ended lately."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby

from django.db.models import Min, Q, QuerySet
from django.utils import timezone

from console.access import OrgAccess
from console.models import Operator, PlanRun, PlanRunStep
from console.plans.overview import Overview

MOST = 200
OVER_FOR = timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class Coming:
    """A run, and when it goes on: at its start, or at the end of a wait."""

    overview: Overview
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Day:
    day: date | None  # None: now
    runs: list[Coming]

    @property
    def told(self) -> str:
        """Return the day as times are told: "Fri 4 Dec 2026". "": now."""
        return f"{self.day:%a} {self.day.day} {self.day:%b %Y}" if self.day else ""


def coming(access: OrgAccess) -> list[Day]:
    """Return the open runs about users whom the operator may see, by day. One query."""
    waits = Min("steps__due_at", filter=Q(steps__state=PlanRunStep.State.STARTED))
    found = _visible(access).filter(state__in=PlanRun.OPEN).annotate(next_at=waits).order_by("starts_at")[:MOST]
    listed = sorted((Coming(overview=Overview(run), at=_next(run)) for run in found), key=lambda one: one.at)
    now = timezone.now()

    def day_of(one: Coming) -> date | None:
        return timezone.localdate(one.at) if one.at > now else None

    return [Day(day=day, runs=list(some)) for day, some in groupby(listed, key=day_of)]


def _next(run: PlanRun) -> datetime:
    if run.state == PlanRun.State.SCHEDULED:
        return run.starts_at
    waits_until: datetime | None = getattr(run, "next_at", None)
    return waits_until if run.state == PlanRun.State.WAITING and waits_until else run.created_at


def started_by(access: OrgAccess, operator: Operator) -> list[Overview]:
    """Return the open runs that this operator started: somebody has to take them over, or cancel them."""
    found = _visible(access).filter(starter=operator, state__in=PlanRun.OPEN)
    return [Overview(run) for run in found.order_by("starts_at")[:MOST]]


def lately_over(access: OrgAccess) -> list[Overview]:
    since = timezone.now() - OVER_FOR
    return list(_over(_visible(access).filter(finished_at__gt=since).order_by("-finished_at")[:50]))


def _over(found: QuerySet[PlanRun]) -> Iterator[Overview]:
    return (Overview(run) for run in found)


def _visible(access: OrgAccess) -> QuerySet[PlanRun]:
    found = PlanRun.objects.filter(organization=access.org).select_related("starter")
    return found if access.populations is None else found.filter(population_id__in=access.populations)
