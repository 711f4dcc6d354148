"""The worker's part of rules: effect after effect. It may be killed anywhere."""

import logging
from collections.abc import Callable
from datetime import timedelta

from django.db import transaction
from django.utils import translation

from console.crawls.changes import NEVER, revive
from console.models import Rule, RuleEffect, Work
from console.rules import mail
from console.rules.effects import Stopped, TryLater, run
from console.rules.record import record
from console.work.schedule import kept
from console.work.share import percent_of
from pingone_integration.calls import rate_limit
from pingone_integration.texts import Text, english

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=1)
AGAIN, LONGEST_AGAIN = timedelta(seconds=30), timedelta(minutes=10)


def run_due(stopping: Callable[[], bool] = lambda: False) -> int:
    """Work on the effects that are due, until none is. Return how many that were."""
    count = 0
    while not stopping() and (effect := RuleEffect.objects.claim(LEASE)):
        with kept(effect, f"effect {effect.pk} of a rule"), translation.override("en"):
            _hold(effect)
        count += 1
    return count


def _hold(effect: RuleEffect) -> None:
    rule = Rule.objects.select_related("organization__connection", "author").get(pk=effect.rule_id)
    if rule.state == Rule.State.OFF:
        effect.end(Work.State.CANCELED)
        return
    if rule.state == Rule.State.STOPPED:
        _put_aside(rule, effect)
        return
    try:
        with rate_limit.in_background(percent_of(rule.organization)):
            state = run(rule, effect)
    except TryLater:
        RuleEffect.objects.filter(pk=effect.pk).update(groups=effect.groups)
        effect.put_back(min(AGAIN * (2 ** min(effect.attempts - 1, 5)), LONGEST_AGAIN))
    except Stopped as stopped:
        stop(rule, stopped.why, stopped.detail)
        _put_aside(rule, effect)
    except Exception:
        logger.exception("The rule %s failed", rule.pk)
        stop(rule, Rule.Stop.MISTAKE)
        _put_aside(rule, effect)
    else:
        effect.end(state, detail=effect.detail)


def stop(rule: Rule, why: Rule.Stop, detail: Text = "") -> None:
    """Let the rule ask an org admin. What waits, and who comes meanwhile, waits with it."""
    with transaction.atomic():
        changes = {"state": Rule.State.STOPPED, "stop": why, "stop_detail": english(detail)}
        if not Rule.objects.filter(pk=rule.pk, state=Rule.State.ON).update(**changes):
            return
        rule.state, rule.stop, rule.stop_detail = Rule.State.STOPPED, why, english(detail)
        record(rule, "rule.stopped", None, inputs={"why": str(why)}, reason=rule.stop_detail)
        mail.stopped(rule)


def _put_aside(rule: Rule, effect: RuleEffect) -> None:
    effect.put_back(NEVER, attempts=0)
    revive(rule.organization)  # if somebody let the rule go on just now
