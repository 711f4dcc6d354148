"""Where an attempt stopped, by the reference number that a caller reads out: for the helpdesk."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.access import OrgAccess
from console.models import RecoveryAttempt
from console.recovery import attempts, stops
from console.recovery.steps import DONE, LEFT
from pingone_integration.texts import Text

_REFERENCE = re.compile(r"([2-9A-HJKMNP-Z]{4})[- ]?([2-9A-HJKMNP-Z]{4})")
Step = RecoveryAttempt.Step

_STEPS: dict[str, Text] = {
    Step.DEVICE: _("The code was right. They have not proven a device as well."),
    Step.PROVEN: _("The code was right. They have not finished."),
    Step.ACTING: _("Their account was being changed, and the end is not known. Check the account."),
    Step.DONE: _("They finished."),
}


@dataclass(frozen=True, kw_only=True)
class Reference:
    """What an operator may know of an attempt. `user_id` None: no user was found for what was typed."""

    user_id: UUID | None
    words: Text


def reference_of(access: OrgAccess, typed: str) -> Reference | None:
    """Return where the attempt with this reference number stopped, or None. No query for any other text.

    A narrowed operator learns nothing of attempts for users whom they do not see, nor for anybody who was not found:
    the difference would tell them who exists.
    """
    if not (match := _REFERENCE.fullmatch(typed.strip().upper())):
        return None
    rows = RecoveryAttempt.objects.filter(organization=access.org, reference=f"{match[1]}-{match[2]}")
    attempt = rows.order_by("-started_at").first()
    if attempt is None or not access.sees_population(attempt.candidate_population):
        return None
    told = format_lazy(_("Recovery {reference}: {words}"), reference=attempt.reference, words=words_of(attempt))
    return Reference(user_id=attempt.candidate, words=told)


def words_of(attempt: RecoveryAttempt) -> Text:
    """Return where an attempt stopped, or is now."""
    if attempt.stop:
        return stops.WORDS.get(attempt.stop, attempt.stop)
    if attempt.step == Step.CODE:
        return _before_the_code(attempt)
    parts = [_STEPS.get(attempt.step, ""), *_parts(attempt)]
    return " ".join(str(part) for part in parts)


def _parts(attempt: RecoveryAttempt) -> Iterator[Text]:
    yield from (DONE[key] for key in attempt.done if key in DONE)
    yield from (LEFT[key] for key in attempt.left if key in LEFT)


def _before_the_code(attempt: RecoveryAttempt) -> Text:
    if not attempt.code_sent:
        return _("It waits for the worker, which has sent nothing yet.")
    if attempts.is_code_over(attempt):
        return _("A code was sent. It was entered wrong too often, or not within ten minutes.")
    return _("A code was sent. They have not entered it yet.")
