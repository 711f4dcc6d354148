"""The audit log: who did what to whom, with which outcome. Append-only, with a hash chain."""

from datetime import timedelta
from functools import cache
from typing import Any, NoReturn
from uuid import UUID, uuid4

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from console.models.people import Operator, Organization
from pingone_integration.errors import ChangedMeanwhile
from pingone_integration.texts import Text

LONGEST_RUN = timedelta(minutes=5)  # of one action: by then, all of its calls have timed out


class AppendOnlyError(TypeError):
    """An attempt to change or delete a row of the audit log."""


@cache
def _has_later() -> Exists:
    """Built once: every page of a user asks."""
    return Exists(AuditEntry.objects.filter(entry=OuterRef("entry"), revision__gt=OuterRef("revision")))


class AuditQuerySet(models.QuerySet["AuditEntry"]):
    def current(self) -> "AuditQuerySet":
        """Return the latest row of each entry, which holds its outcome."""
        return self.filter(~_has_later())

    def in_populations(self, populations: frozenset[UUID] | None) -> "AuditQuerySet":
        """Return the rows about users of these populations; None: all rows, also about anything else."""
        return self if populations is None else self.filter(subject_population__in=populations)

    def with_outcome(self, outcome: str) -> "AuditQuerySet":
        """Return the rows by `shown_outcome`."""
        conflict, failed = AuditEntry.Outcome.CONFLICT, AuditEntry.Outcome.FAILED
        if outcome == failed:
            return self.filter(outcome=outcome).exclude(error_kind=ChangedMeanwhile.kind)
        if outcome == conflict:
            return self.filter(Q(outcome=conflict) | Q(outcome=failed, error_kind=ChangedMeanwhile.kind))
        return self.filter(outcome=outcome)

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError("The audit log is append-only.")

    update = delete = bulk_create = bulk_update = update_or_create = _refuse
    aupdate = adelete = abulk_create = abulk_update = aupdate_or_create = _refuse


class AuditEntry(models.Model):
    """One row of the log.

    No row is ever changed, and the outcome is known only later. So an action on a PingOne user adds two rows with the
    same `entry`: revision 0 (started) and revision 1 (its outcome). Reading the user again after an unknown outcome
    may add revision 2. Each row repeats the whole entry and is complete by itself. Only console.audit.entries adds
    rows, because it chains them.
    """

    # Migrations record the labels of these choices. Pages show OUTCOMES, SUBJECTS and CHANNELS instead.
    class Outcome(models.TextChoices):
        STARTED = "started", "started"
        SUCCEEDED = "succeeded", "succeeded"
        NO_CHANGE = "no change", "no change"  # the user was in that state already
        CONFLICT = "conflict", "conflict"  # the user had changed since the form was opened; nothing was written
        REFUSED = "refused", "refused"  # by the console, before anything was sent
        FAILED = "failed", "failed"
        UNKNOWN = "unknown", "unknown"  # PingOne may have acted, but the console did not see it

    class Subject(models.TextChoices):
        USER = "user", "user"
        GROUP = "group", "group"
        API = "api", "API call"
        CONNECTION = "connection", "connection"
        MEMBERSHIP = "membership", "membership"
        POLICY = "policy", "policy"
        OPERATOR = "operator", "operator"
        LOG = "log", "audit log"
        JOB = "job", "job"

    class Actor(models.TextChoices):
        OPERATOR = "operator", "operator"
        USER = "user", "user"  # the user themself, who has no account here
        ORGANIZATION = "organization", "organization"  # nobody: a plan goes on after its starter has left

    class Channel(models.TextChoices):
        PAGE = "page", "page"
        COMMAND = "command", "command line"
        JOB = "job", "job"
        PLAN = "plan", "plan"
        RULE = "rule", "rule"

    # The chain
    # None: the chain of the server, for people without an organization
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, null=True, related_name="audit_entries")
    sequence = models.PositiveBigIntegerField()  # from 1, without gaps, per chain
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)  # see audit/chain.py, digest

    # The entry
    entry = models.UUIDField(default=uuid4)  # also the transaction ID at PingOne
    revision = models.PositiveSmallIntegerField(default=0)
    outcome = models.CharField(max_length=10, choices=Outcome)
    at = models.DateTimeField()  # of this row; never earlier than the previous row
    started_at = models.DateTimeField()  # of revision 0

    # Who, from where, why
    actor = models.CharField(max_length=12, choices=Actor, blank=True)  # empty: an unknown person, or an older row
    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, null=True, related_name="audit_entries")
    operator_email = models.CharField(max_length=254, blank=True)  # as it was then
    channel = models.CharField(max_length=10, choices=Channel, default=Channel.PAGE)
    source_address = models.CharField(max_length=45, blank=True)
    system_user = models.CharField(
        max_length=64, blank=True, default="", db_default=""
    )  # the server's account behind a command
    ticket = models.CharField(max_length=100, blank=True)
    reason = models.TextField(blank=True)
    submission = models.UUIDField(null=True)  # idempotency key of the form; on revision 0 only
    undoes = models.UUIDField(null=True)  # the entry that this entry undoes
    run = models.UUIDField(null=True)  # of the plan that did this: a PlanRun, as long as that is kept

    # What, to whom
    action = models.CharField(max_length=60)  # a key of the catalogue, or of console.audit.entries.EVENTS
    subject_kind = models.CharField(max_length=12, choices=Subject)
    subject_id = models.CharField(max_length=64, blank=True)
    subject_name = models.TextField(blank=True)  # username, as it was then
    subject_full_name = models.TextField(blank=True)  # a user's, as it was then; empty in older rows
    subject_email = models.TextField(blank=True)  # a user's, as it was then; empty in older rows
    subject_population = models.UUIDField(null=True)  # a user's, as it was then; None: not known, or an older row
    inputs = models.JSONField(default=dict)  # without secrets
    before = models.JSONField(null=True)  # None: not read
    after = models.JSONField(null=True)

    # PingOne's answer
    error_kind = models.CharField(max_length=40, blank=True)  # PingOneError.kind
    error_id = models.CharField(max_length=100, blank=True)
    correlation_id = models.CharField(max_length=100, blank=True)
    note = models.TextField(blank=True)  # more facts for the reader

    objects = AuditQuerySet.as_manager()

    class Meta:
        base_manager_name = "objects"
        constraints = [
            models.UniqueConstraint("organization", "sequence", name="audit_one_row_per_place"),
            models.UniqueConstraint(
                fields=["sequence"], condition=Q(organization=None), name="audit_one_row_per_place_of_server"
            ),
            models.UniqueConstraint("entry", "revision", name="audit_one_row_per_revision"),
            models.UniqueConstraint("organization", "submission", name="audit_one_effect_per_form"),
        ]
        # One index for each filter by an exact value, so that a page of matches is read from it, newest first.
        # Filters by the beginning of a word use AuditTerm.
        indexes = [
            models.Index("organization", "at", name="audit_by_time"),
            models.Index("organization", "operator", "sequence", name="audit_by_operator"),
            models.Index("organization", "subject_id", "sequence", name="audit_by_subject"),
            models.Index("organization", "subject_population", "sequence", name="audit_by_subject_population"),
            models.Index("organization", "action", "sequence", name="audit_by_action"),
            models.Index("organization", "outcome", "sequence", name="audit_by_outcome"),
            models.Index(
                fields=["organization", "run", "sequence"], name="audit_by_run", condition=models.Q(run__isnull=False)
            ),
            models.Index(fields=["undoes"], name="audit_by_undone", condition=models.Q(undoes__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.subject_name}: {self.outcome}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnlyError("The audit log is append-only.")
        if not self.hash:
            raise AppendOnlyError("Only console.audit.entries adds to the audit log: a row has its place in the chain.")
        super().save(*args, **(kwargs | {"force_insert": True}))

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError("The audit log is append-only.")

    def get_outcome_display(self) -> Text:  # type: ignore[no-redef]
        return OUTCOMES.get(self.shown_outcome, self.outcome)

    def get_subject_kind_display(self) -> Text:  # type: ignore[no-redef]
        return SUBJECTS.get(self.subject_kind, self.subject_kind)

    def get_channel_display(self) -> Text:  # type: ignore[no-redef]
        return CHANNELS.get(self.channel, self.channel)

    @property
    def owner_id(self) -> UUID:
        """Return the organization. Rows of the server's own chain have none: nobody searches or undoes them."""
        if self.organization_id is None:
            raise TypeError("a row of the server's chain belongs to no organization")
        return self.organization_id

    @property
    def shown_outcome(self) -> str:
        """Return the outcome, where entries of earlier versions call a conflict "failed"."""
        is_conflict = self.outcome == self.Outcome.FAILED and self.error_kind == ChangedMeanwhile.kind
        return self.Outcome.CONFLICT if is_conflict else self.outcome

    @property
    def has_gone_wrong(self) -> bool:
        """Return whether lists mark the entry: it failed, or its outcome is unknown."""
        return self.shown_outcome in {self.Outcome.FAILED, self.Outcome.UNKNOWN}

    @property
    def has_died(self) -> bool:
        """Return whether the process ended before the action did. The outcome is unknown then."""
        return self.outcome == self.Outcome.STARTED and self.at < timezone.now() - LONGEST_RUN

    @property
    def is_open(self) -> bool:
        """Return whether the outcome is unknown: the answer was lost, or the process died."""
        return self.has_died or self.outcome == self.Outcome.UNKNOWN

    @property
    def has_user_page(self) -> bool:
        """Return whether the entry is about a user whose ID is known."""
        return self.subject_kind == self.Subject.USER and bool(self.subject_id)


OUTCOMES: dict[str, Text] = {
    AuditEntry.Outcome.STARTED: _("Started"),
    AuditEntry.Outcome.SUCCEEDED: _("Succeeded"),
    AuditEntry.Outcome.NO_CHANGE: _("No change"),
    AuditEntry.Outcome.CONFLICT: _("Conflict"),
    AuditEntry.Outcome.REFUSED: _("Refused"),
    AuditEntry.Outcome.FAILED: _("Failed"),
    AuditEntry.Outcome.UNKNOWN: _("Outcome unknown"),
}
SUBJECTS: dict[str, Text] = {
    AuditEntry.Subject.USER: _("User"),
    AuditEntry.Subject.GROUP: _("Group"),
    AuditEntry.Subject.API: _("API request"),
    AuditEntry.Subject.CONNECTION: _("Connection"),
    AuditEntry.Subject.MEMBERSHIP: _("Member"),
    AuditEntry.Subject.POLICY: _("Policy"),
    AuditEntry.Subject.OPERATOR: _("Operator"),
    AuditEntry.Subject.LOG: _("Audit log"),
    AuditEntry.Subject.JOB: _("Job"),
}
CHANNELS: dict[str, Text] = {
    AuditEntry.Channel.PAGE: _("Console page"),
    AuditEntry.Channel.COMMAND: _("Command line"),
    AuditEntry.Channel.JOB: _("Job"),
    AuditEntry.Channel.PLAN: _("Plan"),
    AuditEntry.Channel.RULE: _("Rule"),
}


# Every column of a row, by attribute name: IDs of related rows, not the rows.
FIELDS = tuple(field.attname for field in AuditEntry._meta.concrete_fields)  # noqa: SLF001 - Django documents _meta


# The columns of an export, in this order: single values, no JSON.
EXPORTED = (
    "sequence",
    "at",
    "started_at",
    "outcome",
    "action",
    "subject_kind",
    "subject_id",
    "subject_name",
    "operator_email",
    "channel",
    "source_address",
    "ticket",
    "reason",
    "error_kind",
    "error_id",
    "correlation_id",
    "entry",
    "undoes",
    "note",
    "actor",
    "subject_full_name",
    "subject_email",
    "system_user",
)


class UnfinishedEntry(models.Model):
    """An entry that was started and not closed. Not part of the log, but an index to find it among millions."""

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="unfinished_entries")
    entry = models.UUIDField(primary_key=True)

    def __str__(self) -> str:
        return str(self.entry)


class AuditTerm(models.Model):
    """A word of an entry, for the search. Not part of the log, but an index of it: see audit/terms.py."""

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False)
    block = models.PositiveBigIntegerField()  # of consecutive sequence numbers
    term = models.BinaryField()
    sequence = models.PositiveBigIntegerField()  # of the latest row of the entry

    class Meta:
        indexes = [
            models.Index("organization", "block", "term", "sequence", name="audit_term_in_block"),
            models.Index("organization", "sequence", "term", name="audit_term_of_row"),
        ]

    def __str__(self) -> str:
        return bytes(self.term).decode(errors="replace")
