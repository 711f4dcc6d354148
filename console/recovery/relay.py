"""The worker's part for servers without mail: it relays a code of PingOne and the new password that came with it.

The one mode in which a wrong code reaches PingOne: at most a few per user and day, and never for who is locked. For
an attempt that leads nowhere, the same happens without a call.
"""

import json
import logging
from datetime import timedelta

from django.core.exceptions import PermissionDenied
from django.db.models.functions import Now
from django.utils import timezone

from console.actions.outcome import Done, Failed
from console.audit.entries import Circumstances
from console.models import RecoveryAttempt, Work
from console.perform.run import run
from console.recovery import attempts, operations, steps, throttle
from console.recovery.themself import RelayAccess
from pingone_integration.calls import deadline, rate_limit
from pingone_integration.errors import InvalidValue, PingOneError

logger = logging.getLogger(__name__)

WORTH_FOR = timedelta(minutes=2)
RETRY = timedelta(seconds=5)
SHORTEST_S, FOR_THE_WRITE_S = 3, 2
_OF_PASSWORD = frozenset({"newPassword", "password", "value"})  # targets; which one is unconfirmed


def is_relayable(attempt: RecoveryAttempt) -> bool:
    """Return whether an answer waits, and not the look-up."""
    return bool(attempt.sealed_answer) and (attempt.looked_at is not None or bool(attempt.stop))


def wait_for_relay(attempt: RecoveryAttempt) -> None:
    """Let the worker come back for an answer that arrived during the look-up."""
    rows = RecoveryAttempt.objects.filter(pk=attempt.pk, state=Work.State.DONE).exclude(sealed_answer="")
    rows.update(state=Work.State.WAITING, due_at=Now(), wanted_at=Now(), attempts=0)


def relay(attempt: RecoveryAttempt) -> None:
    """Let PingOne check the answer. The row says afterwards what came of it: done, or still at the code."""
    is_worth_it = attempt.wanted_at > timezone.now() - WORTH_FOR
    if attempt.candidate is not None and attempt.code_sent and is_worth_it:
        try:
            with rate_limit.in_recovery(), deadline.within(_seconds_left(attempt)):
                _relay(attempt)
        except PermissionDenied:
            logger.info("Recovery %s ended meanwhile", attempt.reference)
        except PingOneError as error:
            logger.warning("Recovery %s: %s", attempt.reference, error.kind)
            if attempt.put_back(RETRY):
                return
    attempt.end(Work.State.DONE, sealed_answer="")


def _seconds_left(attempt: RecoveryAttempt) -> float:
    """Return how long PingOne may be asked before it gets the code. A page that waits longer would say who exists."""
    shown_at = (attempt.answered_at or attempt.wanted_at) + attempts.SHOWN_AFTER
    return max(SHORTEST_S, (shown_at - timezone.now()).total_seconds() - FOR_THE_WRITE_S)


def _relay(attempt: RecoveryAttempt) -> None:
    sent = json.loads(attempt.unseal("answer"))
    circumstances = Circumstances(source_address=attempt.source_address)
    result = run(RelayAccess(attempt), operations.recover(attempt, sent["code"], sent["new_password"]), circumstances)
    whose = f"{attempt.organization_id} {attempt.candidate}"
    if isinstance(result, Done):
        throttle.PINGONE_CODES.take_back(whose)
        if attempts.prove_by_pingone(attempt):
            steps.finish_recovered(attempt)
    elif isinstance(result, Failed) and _is_of_password(result.error):
        throttle.PINGONE_CODES.take_back(whose)


def _is_of_password(error: PingOneError | None) -> bool:
    """Return whether PingOne refused the new password: then no wrong code counts there."""
    return isinstance(error, InvalidValue) and any(one.target in _OF_PASSWORD for one in error.details)
