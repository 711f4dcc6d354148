"""The audit log: who did what to whom, with which outcome; append-only and chained by hashes."""

from typing import Any, NoReturn
from uuid import uuid4

from django.db import models
from django.db.models import Exists, OuterRef

from console.models.people import Operator, Organization


class AppendOnlyError(TypeError):
    """Something tried to change or delete what is on record."""


class AuditQuerySet(models.QuerySet["AuditEntry"]):
    def current(self) -> "AuditQuerySet":
        """The latest row of each entry: the one that tells how it ended."""
        later = AuditEntry.objects.filter(entry=OuterRef("entry"), revision__gt=OuterRef("revision"))
        return self.filter(~Exists(later))

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError("The audit log is append-only.")

    update = delete = bulk_create = bulk_update = update_or_create = _refuse
    aupdate = adelete = abulk_create = abulk_update = aupdate_or_create = _refuse


class AuditEntry(models.Model):
    """One row of the log.

    What an entry is about is known when it starts, how it ended only later, and no row is ever changed: so an action
    on a PingOne user leaves two rows that share `entry`, revision 0 (started) and revision 1 (its outcome); reading
    the user again after an unknown outcome may add revision 2. Each row repeats the whole entry and is complete
    by itself. Rows are made by console.audit.entries only, which chains them.
    """

    class Outcome(models.TextChoices):
        STARTED = "started", "started"
        SUCCEEDED = "succeeded", "succeeded"
        NO_CHANGE = "no change", "no change"  # it was so already
        CONFLICT = "conflict", "conflict"  # the user had changed since the form was opened; nothing was written
        REFUSED = "refused", "refused"  # by the console, before anything was sent
        FAILED = "failed", "failed"
        UNKNOWN = "unknown", "unknown"  # PingOne may have acted, although we did not see it

    class Subject(models.TextChoices):
        USER = "user", "user"
        GROUP = "group", "group"
        API = "api", "API call"
        CONNECTION = "connection", "connection"
        MEMBERSHIP = "membership", "membership"
        POLICY = "policy", "policy"
        OPERATOR = "operator", "operator"

    class Actor(models.TextChoices):
        OPERATOR = "operator", "operator"

    class Channel(models.TextChoices):
        PAGE = "page", "page"
        COMMAND = "command", "command line"

    # The chain
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="audit_entries")
    sequence = models.PositiveBigIntegerField()  # from 1, without gaps, per organization
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)  # see audit/chain.py, digest

    # The entry
    entry = models.UUIDField(default=uuid4)  # also our transaction id at PingOne
    revision = models.PositiveSmallIntegerField(default=0)
    outcome = models.CharField(max_length=10, choices=Outcome)
    at = models.DateTimeField()  # of this row; never earlier than the row before it
    started_at = models.DateTimeField()  # of revision 0

    # Who, from where, why
    actor = models.CharField(max_length=12, choices=Actor, blank=True)  # empty: nobody we know, or an older row
    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, null=True, related_name="audit_entries")
    operator_email = models.CharField(max_length=254, blank=True)  # as it was then
    channel = models.CharField(max_length=10, choices=Channel, default=Channel.PAGE)
    source_address = models.CharField(max_length=45, blank=True)
    ticket = models.CharField(max_length=100, blank=True)
    reason = models.TextField(blank=True)
    submission = models.UUIDField(null=True)  # of the form it came from; on revision 0 only
    undoes = models.UUIDField(null=True)  # the entry whose effect this one takes back

    # What, to whom
    action = models.CharField(max_length=60)  # a key of the catalogue, or of console.audit.entries.EVENTS
    subject_kind = models.CharField(max_length=12, choices=Subject)
    subject_id = models.CharField(max_length=64, blank=True)
    subject_name = models.TextField(blank=True)  # username, as it was then
    inputs = models.JSONField(default=dict)  # without the secret ones
    before = models.JSONField(null=True)  # None: not read
    after = models.JSONField(null=True)

    # What PingOne said
    error_kind = models.CharField(max_length=40, blank=True)  # PingOneError.kind
    error_id = models.CharField(max_length=100, blank=True)
    correlation_id = models.CharField(max_length=100, blank=True)
    note = models.TextField(blank=True)  # what a person should know besides

    objects = AuditQuerySet.as_manager()

    class Meta:
        base_manager_name = "objects"
        constraints = [
            models.UniqueConstraint("organization", "sequence", name="audit_one_row_per_place"),
            models.UniqueConstraint("entry", "revision", name="audit_one_row_per_revision"),
            models.UniqueConstraint("organization", "submission", name="audit_one_effect_per_form"),
        ]
        # One for each filter of the audit page: a page of matches is read off the index, newest first.
        indexes = [
            models.Index("organization", "at", name="audit_by_time"),
            models.Index("organization", "operator", "sequence", name="audit_by_operator"),
            models.Index("organization", "subject_id", "sequence", name="audit_by_subject"),
            models.Index("organization", "subject_name", "sequence", name="audit_by_name"),
            models.Index("organization", "action", "sequence", name="audit_by_action"),
            models.Index("organization", "outcome", "sequence", name="audit_by_outcome"),
            models.Index("organization", "ticket", "sequence", name="audit_by_ticket"),
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


# Every column of an entry, as its rows are read and written: ids of related rows, not the rows.
FIELDS = tuple(field.attname for field in AuditEntry._meta.concrete_fields)  # noqa: SLF001 - Django documents _meta


# What an export has of it, in this order: all that is text, a time or an id.
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
)


class AuditHead(models.Model):
    """Where an organization's chain ends at the moment: locked while a row is added, and proof that none is missing."""

    organization = models.OneToOneField(
        Organization, on_delete=models.PROTECT, primary_key=True, related_name="audit_head"
    )
    sequence = models.PositiveBigIntegerField(default=0)
    hash = models.CharField(max_length=64, blank=True)
    at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.organization_id}: {self.sequence}"


class UnfinishedEntry(models.Model):
    """An entry that was started and not closed: no part of the record, but what finds these among a million others."""

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="unfinished_entries")
    entry = models.UUIDField(primary_key=True)

    def __str__(self) -> str:
        return str(self.entry)
