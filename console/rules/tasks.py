"""The worker's task of rules, in a queue of its own."""

from django_tasks import task

from console.models import RuleEffect
from console.rules.engine import run_due
from console.work.tasks import Kind, look


@task(queue_name="rules")
def run_rules() -> None:
    look(run_due)


RULES = Kind("rule", RuleEffect.objects.all, RuleEffect.objects.due, run_rules)
