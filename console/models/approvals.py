"""Requests for the approval of a second person, and what each is bound to."""

from uuid import UUID, uuid4

from django.db import models
from django.utils import timezone

from console.models.people import Operator, Organization


class ApprovalRequest(models.Model):
    """What somebody is about to do, shown to a second person. It is good for exactly that, once."""

    class Kind(models.TextChoices):
        ACTION = "action"
        PLAN = "plan"
        JOB = "job"

    class State(models.TextChoices):
        OPEN = "open"
        APPROVED = "approved"
        DECLINED = "declined"
        WITHDRAWN = "withdrawn"
        USED = "used"
        LAPSED = "lapsed"  # of a job: too many rows were found changed

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="approval_requests")
    kind = models.CharField(max_length=6, choices=Kind)
    requester = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="+")
    name = models.TextField()  # of the action or plan, in English
    about = models.UUIDField(null=True)  # the job; of a plan: the run, once it has started
    needs = models.JSONField()  # what the approver must be allowed: key and permission of each action
    fields = models.JSONField(default=list)  # profile fields that it writes, by our names
    protects = models.BooleanField(default=False)  # about a protected account: only an org admin decides
    digest = models.CharField(max_length=64)  # who, action, inputs, values shown: see approvals/effects.py

    # The preview
    subject_id = models.CharField(max_length=100, blank=True)
    subject_name = models.TextField(blank=True)
    subject_full_name = models.TextField(blank=True)
    subject_emails = models.JSONField(default=list)
    populations = models.JSONField(default=list)  # of those whom it is about: narrowed approvers see theirs only
    inputs = models.JSONField(default=dict)  # without secrets
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    lines = models.JSONField(default=list)  # of a plan or job, in English

    ticket = models.CharField(max_length=100, blank=True)
    reason = models.TextField(blank=True)
    path = models.TextField(blank=True)  # of the form; empty: asked in a terminal
    typed = models.JSONField(default=dict)  # into the form, without secrets

    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    asked_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    opens_at = models.DateTimeField(null=True)  # break glass: from then on it needs no approver
    approver = models.ForeignKey(Operator, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    decision_reason = models.TextField(blank=True)
    usable_until = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)
    entry = models.UUIDField(null=True)  # of what was done with it, in the audit log

    class Meta:
        indexes = [
            models.Index(fields=["organization", "state", "-asked_at"], name="approval_by_state"),
            models.Index(fields=["organization", "digest"], name="approval_by_digest"),
            models.Index(fields=["about"], name="approval_by_about"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.pk}: {self.state}"

    @property
    def population_ids(self) -> frozenset[UUID | None]:
        return frozenset(UUID(one) if one else None for one in self.populations)


class ApprovedRows(models.Model):
    """The rows of a job as a request showed them. What changes falls out; nothing is added."""

    request = models.OneToOneField(ApprovalRequest, on_delete=models.CASCADE, related_name="rows")
    digests = models.BinaryField()  # see approvals/job_rows.py
    count = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.count} rows of {self.request_id}"
