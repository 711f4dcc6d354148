"""The attempts of users to recover their account: a state machine in one row each."""

from uuid import uuid4

from django.db import models
from django.db.models import Q

from console.models.people import Organization
from console.models.work import Work
from pingone_integration.models import HoldsSecrets


class RecoveryAttempt(Work, HoldsSecrets):
    """One way through the pages of recovery. `state` is that of the look-up by the worker, `step` that of the person.

    Nobody who looks at the pages can tell a decoy, which leads nowhere, from an attempt with a user behind it.
    """

    class Step(models.TextChoices):
        CODE = "code", "code"  # waits for the code, which may never have been sent
        DEVICE = "device", "device"  # the code was right, and a device is asked for as well
        PROVEN = "proven", "proven"  # who they are
        ACTING = "acting", "acting"  # PingOne is asked to change something
        DONE = "done", "done"
        ENDED = "ended", "ended"

    class Choice(models.TextChoices):
        UNLOCK = "unlock", "unlock"
        PASSWORD = "password", "password"

    class Stop(models.TextChoices):
        """Why no code was sent, or why one died: for operators, never for the person at the pages."""

        INVALID = "invalid", "invalid"
        TOO_MANY_ASKED = "too-many-asked", "too-many-asked"
        LATE = "late", "late"
        UNREACHABLE = "unreachable", "unreachable"
        UNKNOWN = "unknown", "unknown"
        SEVERAL = "several", "several"
        OFF = "off", "off"
        LOCK_DOWN = "lock-down", "lock-down"
        DISABLED = "disabled", "disabled"
        ELSEWHERE = "elsewhere", "elsewhere"
        PROTECTED = "protected", "protected"
        NO_ADDRESS = "no-address", "no-address"
        UNVERIFIED = "unverified", "unverified"
        NEW_CONTACT = "new-contact", "new-contact"
        LOCKED = "locked", "locked"
        NEEDS_DEVICE = "needs-device", "needs-device"
        DEVICE_CODES = "device-codes", "device-codes"
        TOO_MANY_MAILS = "too-many-mails", "too-many-mails"
        TOO_OFTEN = "too-often", "too-often"
        CHANGED = "changed", "changed"
        NOT_ME = "not-me", "not-me"
        SUPERSEDED = "superseded", "superseded"
        RESTARTED = "restarted", "restarted"

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="recovery_attempts")
    key_hash = models.CharField(max_length=64, unique=True)  # of the key in the browser's cookie
    reference = models.CharField(max_length=12)  # what the person tells the helpdesk
    started_at = models.DateTimeField()

    # What was typed, and from where
    sealed_typed = models.TextField(blank=True)  # erased after the look-up
    typed_hash = models.CharField(max_length=64)
    network = models.CharField(max_length=50, blank=True)
    source_address = models.CharField(max_length=45, blank=True)
    browser = models.CharField(max_length=120, blank=True)
    language = models.CharField(max_length=10, blank=True)

    # What the worker found
    looked_at = models.DateTimeField(null=True)
    stop = models.CharField(max_length=20, blank=True)  # a Stop
    candidate = models.UUIDField(null=True)  # the user found; nothing is proven by it
    candidate_population = models.UUIDField(null=True)
    username = models.TextField(blank=True)  # the candidate's, as it was then
    address_hash = models.CharField(max_length=64, blank=True)
    seen = models.JSONField(null=True)  # of the candidate, when the code was sent: if it changes, the code dies

    needs_device = models.BooleanField(default=False, db_default=False)  # besides the mailbox

    # PingOne's own code: the answer of the person waits for the worker, which relays it
    by_pingone = models.BooleanField(default=False, db_default=False)
    sealed_answer = models.TextField(blank=True, default="", db_default="")  # erased when it was relayed
    answered_at = models.DateTimeField(null=True)

    # The code
    code_seed = models.UUIDField(default=uuid4)  # attempts that were joined share one email and its code
    code_sent = models.BooleanField(default=False)
    code_expires_at = models.DateTimeField(null=True)  # also of a decoy
    asked_at = models.DateTimeField()  # for the code, the last time
    asked_again = models.PositiveSmallIntegerField(default=0)
    tries = models.PositiveSmallIntegerField(default=0)

    # What the person proved and did
    step = models.CharField(max_length=10, choices=Step, default=Step.CODE)
    user_id = models.UUIDField(null=True)  # proven: only the check of the code writes it
    proven_at = models.DateTimeField(null=True)
    device_id = models.UUIDField(null=True)  # that they chose
    device_authentication = models.UUIDField(null=True)  # at PingOne, of that device
    device_proven_at = models.DateTimeField(null=True)
    choice = models.CharField(max_length=10, choices=Choice, blank=True)
    password_was_locked = models.BooleanField(default=False)  # when the work began
    done = models.JSONField(default=list)  # keys of the actions that were done
    left = models.JSONField(default=list)  # and of what is left to do
    ended_at = models.DateTimeField(null=True)
    is_released = models.BooleanField(default=False)  # no longer counts towards a limit

    class Meta(Work.Meta):
        indexes = [
            *Work.Meta.indexes,
            models.Index("organization", "typed_hash", "looked_at", name="recovery_by_typed"),
            models.Index("organization", "candidate", "started_at", name="recovery_by_candidate"),
            models.Index("organization", "reference", name="recovery_by_reference"),
            models.Index(fields=["started_at"], name="recovery_by_start"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(user_id=None) | Q(user_id=models.F("candidate")), name="recovery_proves_who_was_sent_it"
            ),
            models.CheckConstraint(
                condition=Q(needs_device=False)
                | Q(device_proven_at__isnull=False)
                | ~Q(step__in=("proven", "acting", "done")),
                name="recovery_skips_no_device",
            ),
        ]

    def __str__(self) -> str:
        return f"Recovery {self.reference}: {self.step}"
