"""The code of an attempt: derived, never stored. Only its check writes the proven user.

A keyed hash of the attempt is the code, so that "Send again" mails the same one, and an attempt without a user behind
it has a code like any other, which nobody is sent: right, wrong and decoy cost the same.
"""

from secrets import compare_digest
from typing import TypeAlias
from unicodedata import normalize
from uuid import UUID

from django.db import transaction
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Now
from django.utils.crypto import salted_hmac

from console.models import RecoveryAttempt
from console.recovery import attempts

LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # without look-alikes: 0 O, 1 I L
LENGTH = 8

Step: TypeAlias = RecoveryAttempt.Step


def code_of(attempt: RecoveryAttempt) -> str:
    """Return the code as it is mailed, in two groups."""
    code = _derived(attempt.code_seed)
    return f"{code[:4]}-{code[4:]}"


def _derived(seed: UUID) -> str:
    number = int.from_bytes(salted_hmac("console.recovery.code", str(seed), algorithm="sha256").digest())
    letters = []
    for _ in range(LENGTH):
        number, letter = divmod(number, len(LETTERS))
        letters.append(LETTERS[letter])
    return "".join(letters)


def normalized(typed: str) -> str:
    """Return the typed code without case, spaces and dashes."""
    return "".join(sign for sign in normalize("NFKC", typed[:100]).upper() if sign.isalnum())


def check(attempt: RecoveryAttempt, typed: str) -> bool:
    """Count a try, and write the proven user if the code is right. PingOne is not asked.

    Several at once: each counts, and no more than TRIES are compared. A code that is used ends the others of its user.
    Tries count before the look-up, too: otherwise they would tell when it ended, and so who was found.
    """
    is_right = compare_digest(_derived(attempt.code_seed).encode(), normalized(typed).encode())
    open_ones = RecoveryAttempt.objects.filter(pk=attempt.pk, step=Step.CODE, by_pingone=False)
    open_ones = open_ones.filter(Q(code_expires_at=None) | Q(code_expires_at__gt=Now()))
    is_counted = open_ones.filter(tries__lt=attempts.TRIES).update(tries=F("tries") + 1)
    return bool(is_counted and is_right) and _prove(attempt)


def _prove(attempt: RecoveryAttempt) -> bool:
    with transaction.atomic():
        own = RecoveryAttempt.objects.filter(organization_id=attempt.organization_id, candidate=attempt.candidate)
        own = own.filter(candidate__isnull=False, step__in=attempts.OPEN)
        list(own.select_for_update().order_by("pk").values_list("pk"))  # of two codes at once, one ends the other
        is_open = Q(step=Step.CODE, tries__lte=attempts.TRIES, code_expires_at__gt=Now(), code_sent=True)
        proven = own.filter(is_open, pk=attempt.pk)
        step = Case(When(needs_device=True, then=Value(Step.DEVICE)), default=Value(Step.PROVEN))
        if not proven.update(step=step, user_id=F("candidate"), proven_at=Now()):
            return False
        attempts.end(own.exclude(pk=attempt.pk), RecoveryAttempt.Stop.SUPERSEDED)
    return True
