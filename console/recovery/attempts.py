"""An attempt of a user to recover their account: its beginning, and its steps, each by one conditional UPDATE.

The key in the browser's cookie is all that a request brings. User, step and choice come from the row.
"""

import json
import secrets
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, TypeAlias
from unicodedata import category
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.crypto import salted_hmac

from console.models import Organization, RecoveryAttempt, Work
from console.protection.facts import folded
from console.recovery import throttle
from console.recovery.policy import settings_of

LIVES_FOR = timedelta(hours=1)  # in the browser
PROOF_LASTS = timedelta(minutes=15)
TRIES = 5
CODE_LASTS = timedelta(minutes=10)  # from sending
PINGONE_CODE_LASTS = timedelta(minutes=5)
ROUNDED_TO = timedelta(seconds=30)  # when it was sent: the exact time would tell how long PingOne was asked
SHOWN_AFTER = timedelta(seconds=10)  # whether PingOne took an answer, so that its time tells nothing
AGAIN_AFTER = timedelta(seconds=60)
AGAIN_AT_MOST = 2
LONGEST = 320  # characters of a username or email address

_REFERENCE = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"

Step: TypeAlias = RecoveryAttempt.Step
Stop: TypeAlias = RecoveryAttempt.Stop
Choice: TypeAlias = RecoveryAttempt.Choice

OPEN = (Step.CODE, Step.DEVICE, Step.PROVEN)


def is_readable(typed: str) -> bool:
    """Return whether a text can be a username or email address at all."""
    return 0 < len(typed) <= LONGEST and not any(category(sign) in {"Cc", "Cs", "Zl", "Zp"} for sign in typed)


def typed_hash(organization_id: UUID, typed: str) -> str:
    """Return a hash of what was typed that nobody can compute without SECRET_KEY. Spellings of one text are equal."""
    return salted_hmac("console.recovery.typed", f"{organization_id} {folded(typed)}", algorithm="sha256").hexdigest()


def begin(
    organization: Organization, typed: str, *, source_address: str, browser: str, language: str
) -> tuple[RecoveryAttempt, str]:
    """Write an attempt for the worker. Return it, and the key for the browser. The same writes, whatever was typed."""
    key, now = secrets.token_urlsafe(32), timezone.now()
    attempt = RecoveryAttempt(
        organization=organization,
        key_hash=_hash(key),
        reference="-".join("".join(secrets.choice(_REFERENCE) for _ in range(4)) for _ in range(2)),
        started_at=now,
        asked_at=now,
        typed_hash=typed_hash(organization.pk, typed[:LONGEST]),
        network=throttle.network_of(source_address),
        source_address=source_address,
        browser=browser[:120],
        language=language[:10],
        by_pingone=settings_of(organization).uses_pingone_code,
    )
    is_counted = throttle.allows_look_up(organization.pk, attempt.typed_hash, attempt.network)
    if not is_readable(typed):
        _drop(attempt, Stop.INVALID)
    elif not is_counted:
        _drop(attempt, Stop.TOO_MANY_ASKED)
    else:
        attempt.sealed_typed = attempt.seal("typed", typed)
    attempt.save(force_insert=True)
    return attempt, key


def _drop(attempt: RecoveryAttempt, stop: RecoveryAttempt.Stop) -> None:
    """Make a decoy that no worker looks at."""
    attempt.state, attempt.stop = Work.State.DONE, stop
    attempt.code_expires_at = expires_at(attempt, attempt.started_at)


def lasts(attempt: RecoveryAttempt) -> timedelta:
    """Return how long a code is valid."""
    return PINGONE_CODE_LASTS if attempt.by_pingone else CODE_LASTS


def expires_at(attempt: RecoveryAttempt, sent_at: datetime) -> datetime:
    """Return until when a code that is sent now is right. A page shows it, so that it must not tell who was found."""
    waited = max(ROUNDED_TO, -(-(sent_at - attempt.asked_at) // ROUNDED_TO) * ROUNDED_TO)
    return attempt.asked_at + waited + lasts(attempt)


def current(organization: Organization, key: str) -> RecoveryAttempt | None:
    """Return the attempt of this browser in this organization, or None."""
    live = RecoveryAttempt.objects.filter(organization=organization, started_at__gt=timezone.now() - LIVES_FOR)
    return live.filter(key_hash=_hash(key)).first() if key else None


def is_code_over(attempt: RecoveryAttempt) -> bool:
    """Return whether no code can be right any more. The same for an attempt that leads nowhere."""
    is_late = attempt.code_expires_at is not None and attempt.code_expires_at <= timezone.now()
    return attempt.tries >= TRIES or is_late


def is_proof_over(attempt: RecoveryAttempt) -> bool:
    return attempt.proven_at is None or attempt.proven_at <= timezone.now() - PROOF_LASTS


def ask_again(attempt: RecoveryAttempt) -> bool:
    """Let the worker send the same code again. False: too soon, too often, or it is over."""
    waiting = RecoveryAttempt.objects.filter(pk=attempt.pk, step=Step.CODE, asked_again__lt=AGAIN_AT_MOST)
    waiting = waiting.filter(asked_at__lte=Now() - AGAIN_AFTER, sealed_answer="").exclude(state=Work.State.RUNNING)
    return bool(
        waiting.update(
            asked_again=F("asked_again") + 1,
            asked_at=Now(),
            state=Work.State.WAITING,
            due_at=Now(),
            wanted_at=Now(),
            attempts=0,
        )
    )


def answer(attempt: RecoveryAttempt, code: str, new_password: str) -> bool:
    """Let the worker relay a code of PingOne and a new password. False: one is waiting, or the code is over.

    The same for an attempt that leads nowhere.
    """
    rows = RecoveryAttempt.objects.filter(pk=attempt.pk, by_pingone=True, step=Step.CODE, sealed_answer="")
    rows = rows.filter(Q(code_expires_at=None) | Q(code_expires_at__gt=Now()), tries__lt=TRIES)
    sealed = attempt.seal("answer", json.dumps({"code": code, "new_password": new_password}))
    changes: dict[str, Any] = {"sealed_answer": sealed, "answered_at": Now(), "tries": F("tries") + 1}
    wakes = {"state": Work.State.WAITING, "due_at": Now(), "wanted_at": Now(), "attempts": 0}
    is_looked_up = rows.filter(state=Work.State.DONE)  # otherwise the look-up comes first
    return bool(is_looked_up.update(**changes, **wakes) or rows.exclude(state=Work.State.DONE).update(**changes))


def is_trying(attempt: RecoveryAttempt) -> bool:
    """Return whether the page does not say yet what became of the answer."""
    if attempt.answered_at is None:
        return False
    return bool(attempt.sealed_answer) or attempt.answered_at > timezone.now() - SHOWN_AFTER


def prove_by_pingone(attempt: RecoveryAttempt) -> bool:
    """Write the user whose code PingOne took. A code that is used ends the others of its user."""
    rows = RecoveryAttempt.objects.filter(organization_id=attempt.organization_id, candidate=attempt.candidate)
    with transaction.atomic():
        own = rows.filter(pk=attempt.pk, by_pingone=True, step=Step.CODE, code_sent=True, candidate__isnull=False)
        changes = {"step": Step.ACTING, "choice": Choice.PASSWORD, "proven_at": Now()}
        if not own.update(**changes, user_id=F("candidate")):
            return False
        end(rows.exclude(pk=attempt.pk), Stop.SUPERSEDED)
    return True


def choose_device(attempt: RecoveryAttempt, device_id: UUID | None, authentication: UUID | None) -> bool:
    """Write the device that was asked for a code; None to choose anew."""
    return bool(_at_device(attempt).update(device_id=device_id, device_authentication=authentication))


def prove_device(attempt: RecoveryAttempt) -> bool:
    """Write that the code of the chosen device was right."""
    same = _at_device(attempt).filter(device_authentication=attempt.device_authentication, device_id__isnull=False)
    return bool(same.update(step=Step.PROVEN, device_proven_at=Now()))


def choose(attempt: RecoveryAttempt, choice: str) -> bool:
    """Write what the person wants to do; "" to choose anew."""
    return bool(_proven(attempt).update(choice=choice))


def claim(attempt: RecoveryAttempt, choice: str, *, password_was_locked: bool) -> bool:
    """Begin the work that was chosen. Of several requests at once, one does it."""
    changes = {"step": Step.ACTING, "password_was_locked": password_was_locked}
    return bool(_proven(attempt).filter(choice=choice).update(**changes))


def put_back(attempt: RecoveryAttempt) -> None:
    """Let the person try once more: nothing was changed."""
    RecoveryAttempt.objects.filter(pk=attempt.pk, step=Step.ACTING).update(step=Step.PROVEN)


def finish(attempt: RecoveryAttempt, *, done: list[str], left: list[str]) -> None:
    acting = RecoveryAttempt.objects.filter(pk=attempt.pk, step=Step.ACTING)
    acting.update(step=Step.DONE, done=done, left=left, ended_at=Now())


def end(rows: QuerySet[RecoveryAttempt], stop: RecoveryAttempt.Stop) -> int:
    """End attempts that are open, for a reason that operators see."""
    is_open = Q(step__in=OPEN)
    return rows.filter(is_open).update(step=Step.ENDED, stop=stop, ended_at=Now(), sealed_typed="", sealed_answer="")


def end_all(organization: Organization, user_id: UUID, stop: RecoveryAttempt.Stop = Stop.NOT_ME) -> int:
    """End all open attempts of a user, so that no code that is out works any more. Return how many that were."""
    rows = RecoveryAttempt.objects.filter(organization=organization)
    return end(rows.filter(Q(candidate=user_id)), stop)


def _proven(attempt: RecoveryAttempt) -> QuerySet[RecoveryAttempt]:
    return _lasting(attempt).filter(step=Step.PROVEN)


def _at_device(attempt: RecoveryAttempt) -> QuerySet[RecoveryAttempt]:
    return _lasting(attempt).filter(step=Step.DEVICE)


def _lasting(attempt: RecoveryAttempt) -> QuerySet[RecoveryAttempt]:
    return RecoveryAttempt.objects.filter(pk=attempt.pk, proven_at__gt=Now() - PROOF_LASTS)


def _hash(key: str) -> str:
    return sha256(key.encode()).hexdigest()
