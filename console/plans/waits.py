"""How long a wait lasts, and what is too late."""

from datetime import datetime, timedelta

from console.models import PlanRun
from console.plans.dates import next_at
from console.plans.definition import WaitStep

LATEST = timedelta(hours=72)  # what gives access then asks; what takes it away runs late, however late
ANNOUNCED_BEFORE = timedelta(days=3)  # a delete


def due_after(step: WaitStep, since: datetime, run: PlanRun) -> datetime:
    """Return the end of a wait that begins now."""
    return since + timedelta(days=step.days) if step.days else next_at(step.until, run.zone or "UTC", since)
