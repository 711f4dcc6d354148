"""How long a wait lasts, and what begins too late."""

from datetime import datetime, timedelta

from django.utils import timezone

from console.models import PlanRun
from console.plans.ahead import chosen_date, date_waits, only_takes_away, until_next_wait
from console.plans.dates import next_at
from console.plans.definition import Definition, Kind, WaitStep

LATEST = timedelta(hours=72)  # what gives access then asks; what takes it away runs late, however late
ANNOUNCED_BEFORE = timedelta(days=3)  # a delete


def due_after(step: WaitStep, number: int, since: datetime, run: PlanRun) -> datetime:
    """Return the end of a wait that begins now."""
    if step.asks_date:
        return chosen_date(number, run.choices) or since
    return since + timedelta(days=step.days) if step.days else next_at(step.until, run.zone or "UTC", since)


def takes_away_first(definition: Definition, run: PlanRun) -> bool:
    """Return whether what runs before the first wait gives nobody access: then it is never too late."""
    first = until_next_wait(definition, 0, run.choices)
    return definition.kind is Kind.LEAVE or only_takes_away(definition.kind, first)


def would_be_over(definition: Definition, run: PlanRun) -> bool:
    """Return whether what begins only now was to end before."""
    ends = (chosen_date(number, run.choices) for number in date_waits(definition))
    return any(end and end <= timezone.now() for end in ends)
