"""What operators see of recovery: how far attempts came, where people gave up, and one attempt by its number."""

import re
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

from django.db.models import Count, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from console.access import OrgAccess, Permission
from console.audit import entries
from console.models import AuditEntry, Organization, OutgoingEmail, RecoveryAttempt
from console.recovery import stops, throttle
from console.recovery.references import words_of
from pingone_integration.texts import Text

DAYS = 7
REFERENCE = re.compile(r"\s*([2-9A-HJKMNP-Z]{4})[\s-]?([2-9A-HJKMNP-Z]{4})\s*", re.IGNORECASE)

Step: TypeAlias = RecoveryAttempt.Step

_GAVE_UP: dict[str, Text] = {
    Step.CODE: _("They did not enter the code."),
    Step.DEVICE: _("They entered the code, and then proved no device."),
    Step.PROVEN: _("They entered the code, and then chose nothing."),
    Step.ACTING: _("PingOne's answer is missing."),
}


@dataclass(frozen=True, kw_only=True)
class Report:
    """The attempts of the last days. Attempts that still go on are in none of the reasons."""

    began: int
    got_code: int
    proven: int
    done: int
    reasons: list[tuple[Text, int]]  # why the others ended, the most frequent first
    failed_emails: int  # that the mail server did not take


@dataclass(frozen=True, kw_only=True)
class Found:
    """One attempt, by the reference number that its person told."""

    attempt: RecoveryAttempt
    where: Text  # it stopped, or is now
    may_release: bool


def report(organization: Organization) -> Report:
    """Count the attempts of the last days. Two queries."""
    since = timezone.now() - timedelta(days=DAYS)
    rows = RecoveryAttempt.objects.filter(organization=organization, started_at__gt=since)
    is_late = Q(started_at__lte=timezone.now() - timedelta(hours=1))
    counted = rows.values("step", "stop", "code_sent").annotate(
        n=Count("pk"), late=Count("pk", filter=is_late), proven=Count("pk", filter=Q(proven_at__isnull=False))
    )
    reasons: Counter[str] = Counter()
    for one in counted:
        if one["stop"]:
            reasons[one["stop"]] += one["n"]
        elif one["step"] in _GAVE_UP and one["late"]:
            reasons[one["step"]] += one["late"]
    words = stops.WORDS | _GAVE_UP
    return Report(
        began=sum(one["n"] for one in counted),
        got_code=sum(one["n"] for one in counted if one["code_sent"]),
        proven=sum(one["proven"] for one in counted),
        done=sum(one["n"] for one in counted if one["step"] == Step.DONE),
        reasons=[(words[key], number) for key, number in reasons.most_common() if key in words],
        failed_emails=_failed_emails(rows),
    )


def _failed_emails(rows: "QuerySet[RecoveryAttempt]") -> int:
    """Return how many of the latest codes the mail server did not take."""
    latest = rows.filter(code_sent=True).order_by("-started_at").values_list("pk", flat=True)[:200]
    emails = OutgoingEmail.objects.filter(about__in=[f"recovery {pk}" for pk in latest])
    waits_again = Q(state=OutgoingEmail.State.WAITING, attempts__gt=0)
    return emails.filter(Q(state=OutgoingEmail.State.FAILED) | waits_again).count()


def reference_in(text: str) -> str:
    """Return the reference number that a text is, however it is spelled, else ""."""
    match = REFERENCE.fullmatch(text)
    return f"{match[1]}-{match[2]}".upper() if match else ""


def find(access: OrgAccess, reference: str) -> Found | None:
    """Return the attempt with this number, None if there is none that the operator may see."""
    rows = RecoveryAttempt.objects.filter(organization=access.org, reference=reference).order_by("-started_at")
    attempt = rows.first()
    if attempt is None or not access.sees_population(attempt.candidate_population):
        return None
    return Found(
        attempt=attempt,
        where=words_of(attempt),
        may_release=_may_release(access) and attempt.candidate is not None and not attempt.is_released,
    )


def _may_release(access: OrgAccess) -> bool:
    return access.viewing_as is None and access.allows(Permission.RECOVER_PASSWORDS)


def release(access: OrgAccess, found: Found, *, source_address: str) -> bool:
    """Lift the limits of the person behind an attempt, on record. Return whether there was anything to lift."""
    access.require(Permission.RECOVER_PASSWORDS)
    attempt = found.attempt
    if attempt.candidate is None or not access.sees_population(attempt.candidate_population):
        return False
    lifted = throttle.release(access.org.pk, attempt.candidate, frozenset({attempt.typed_hash}))
    if lifted:
        entries.record(
            access.org,
            "recovery.released",
            subject=entries.Subject(
                kind=AuditEntry.Subject.USER,
                id=attempt.candidate,
                name=attempt.username,
                population_id=attempt.candidate_population,
            ),
            operator=access.operator,
            source_address=source_address,
            inputs={"reference": attempt.reference},
        )
    return bool(lifted)
