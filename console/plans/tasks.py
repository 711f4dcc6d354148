"""The worker's task of plans, and the rows that wake it: in a queue of its own, which no job fills."""

from django_tasks import task

from console.models import PlanWork
from console.plans.engine import run_due
from console.work.tasks import Kind, look


@task(queue_name="plans")
def run_plans() -> None:
    look(run_due)


PLANS = Kind("plan", PlanWork.objects.all, PlanWork.objects.due, run_plans)
