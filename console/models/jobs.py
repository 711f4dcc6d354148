"""Jobs: one action on many users, with a row for each. All of it is deleted after some time; the record stays."""

from datetime import timedelta
from uuid import UUID, uuid4, uuid5

from django.db import models
from django.utils import timezone

from console.models.people import Operator, Organization
from console.models.work import Work

KEPT_FOR = timedelta(days=30)  # after the last thing that happened; a setting may say otherwise


class Job(models.Model):
    """One action that an operator has prepared for many users, and how far it got.

    What a person decides is here; the work of the worker on it is a JobWork.
    """

    class State(models.TextChoices):
        DRAFT = "draft"  # its rows are being stored
        READING = "reading"  # the worker makes the preview (dry run)
        PREVIEWED = "previewed"
        RUNNING = "running"
        PAUSED = "paused"
        WAITING = "waiting"  # for another org admin, because of the brake on mass change
        CANCELED = "canceled"
        FINISHED = "finished"

    class Source(models.TextChoices):
        FILE = "file"
        SELECTION = "selection"
        SEARCH = "search"
        GROUP = "group"
        POPULATION = "population"
        INACTIVE = "inactive"  # those whom a crawl found inactive
        UNDO = "undo"  # the inverse of another job

    class Pause(models.TextChoices):
        """Why a job pauses, or could not make its preview."""

        ASKED = "asked"  # by an operator
        FIRST_ROWS = "first rows"  # of "Try the first N"
        CONNECTION = "connection"  # PingOne refuses a new token too, or there is no grant
        UNREACHABLE = "unreachable"  # PingOne does not answer
        FORBIDDEN = "forbidden"  # PingOne refused several rows in a row with the same 403
        FAILURES = "failures"  # many failures of one kind in a row
        ACCESS = "access"  # the starter may not do this any more
        LIMIT = "limit"  # of rows a day
        DEMAND = "demand"  # a policy asks for more than was met at the start
        MISTAKE = "mistake"  # of the console itself

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="jobs")
    starter = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="+")
    action = models.CharField(max_length=60)  # a key of the catalogue, or of a plan: see jobs/plan_action.py
    plan = models.JSONField(null=True)  # that each row starts, frozen; None: the rows run an action
    inputs = models.JSONField(default=dict)  # the same for all rows, without secrets
    key_kind = models.CharField(max_length=20)  # a KeyKind of jobs/listed.py
    source = models.CharField(max_length=12, choices=Source)
    source_label = models.TextField(blank=True)  # of the search, group or population
    file_name = models.TextField(blank=True)
    is_possibly_cut = models.BooleanField(default=False)  # the file's last line has no end: see jobs/start.py
    undoes = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="undos")

    # Met once, when the job is started
    channel = models.CharField(max_length=10, default="page")  # an AuditEntry.Channel
    ticket = models.CharField(max_length=100, blank=True)
    reason = models.TextField(blank=True)
    source_address = models.CharField(max_length=45, blank=True)
    system_user = models.CharField(max_length=64, blank=True, db_default="")  # the server's account, for a command
    signed_in_at = models.DateTimeField(null=True)
    met_at = models.DateTimeField(null=True)  # when the sign-in was looked at

    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    pause = models.CharField(max_length=12, choices=Pause, blank=True)
    pause_detail = models.TextField(blank=True)  # in English, as in the record
    stop_after = models.PositiveIntegerField(null=True)  # rows that were reached, then it pauses; None: all
    totals = models.JSONField(default=dict)  # of the preview: see jobs/totals.py
    failing = models.CharField(max_length=100, blank=True)  # the failure of the last rows
    failing_rows = models.PositiveIntegerField(default=0)  # how many in a row
    approver = models.ForeignKey(Operator, on_delete=models.SET_NULL, null=True, related_name="+")
    approved_at = models.DateTimeField(null=True)  # that it passes the brake
    approval = models.JSONField(default=dict)  # the sum that was asked about or approved

    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    delete_after = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["organization", "-created_at"], name="job_by_time"),
            models.Index(fields=["delete_after"], name="job_by_deletion"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.pk}: {self.state}"

    @property
    def is_over(self) -> bool:
        return self.state in {Job.State.CANCELED, Job.State.FINISHED}


class JobRow(models.Model):
    """One user of a job: what the list said, what the preview showed, and what became of it."""

    class Verdict(models.TextChoices):
        CREATE = "create"
        CHANGE = "change"
        NO_CHANGE = "no change"
        CONFLICT = "conflict"  # another row wants something else for the same user
        NOT_FOUND = "not found"
        AMBIGUOUS = "ambiguous"  # several users have this key
        NOT_ALLOWED = "not allowed"
        PROTECTED = "protected"
        INVALID = "invalid"
        DUPLICATE = "duplicate"  # an earlier row says the same of the same user
        SAME_PERSON = "same person"  # perhaps: a new user whose email, external ID or phone somebody has

    class Decision(models.TextChoices):
        """What to do with a row that is perhaps the same person. Empty: not decided, and the row does not run."""

        UPDATE = "update"
        CREATE = "create"
        LEAVE_OUT = "leave out"

    class State(models.TextChoices):
        NOT_REACHED = "not reached"
        STARTED = "started"
        DONE = "done"
        NO_CHANGE = "no change"
        CONFLICT = "conflict"  # the user had changed since the preview; nothing was written
        REFUSED = "refused"
        FAILED = "failed"
        UNKNOWN = "unknown"

    id = models.BigAutoField(primary_key=True)
    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="rows")
    number = models.PositiveIntegerField()  # of the line in the file, or from 1
    key = models.TextField(blank=True)  # as typed
    values = models.JSONField(default=dict)  # by the fields of the action; None: clear it
    problem = models.TextField(blank=True)  # that reading found, in English
    inputs = models.JSONField(default=dict)  # of this row, beside those of the job

    # The preview
    user_id = models.UUIDField(null=True)
    label = models.TextField(blank=True)  # the username
    full_name = models.TextField(blank=True)
    population_id = models.UUIDField(null=True)
    verdict = models.CharField(max_length=12, choices=Verdict, blank=True)
    shown = models.JSONField(default=dict)  # "changes": field to [old, new]; "about": what it must still be
    same_as = models.JSONField(default=list)  # the users that are perhaps the same person
    decision = models.CharField(max_length=10, choices=Decision, blank=True)
    left_out = models.BooleanField(default=False)

    # The run
    state = models.CharField(max_length=12, choices=State, default=State.NOT_REACHED)
    attempt = models.PositiveSmallIntegerField(default=0)  # "retry failed" begins the next
    detail = models.TextField(blank=True)  # why, in English
    entry = models.UUIDField(null=True)  # in the audit log
    undone_entry = models.UUIDField(null=True)  # of a job that undoes another: the entry that this row reverses
    reached_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint("job", "number", name="job_row_once")]
        indexes = [
            models.Index(fields=["job", "state", "number"], name="job_row_by_state"),
            models.Index(fields=["job", "verdict", "number"], name="job_row_by_verdict"),
            models.Index(fields=["job", "user_id"], name="job_row_by_user"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.key}: {self.state}"

    @property
    def submission(self) -> UUID:
        """Return the idempotency key of this attempt: the record takes it once, so nothing is done twice."""
        return uuid5(self.job_id, f"{self.number} {self.attempt}")


class JobWork(Work):
    """The worker's work on a job: its preview, or its rows."""

    job = models.OneToOneField(Job, on_delete=models.CASCADE, related_name="work")

    def __str__(self) -> str:
        return f"Work on {self.job_id}: {self.state}"

    @classmethod
    def want(cls, job: Job) -> None:
        """Let the worker look at the job now. A worker that holds it looks again before it leaves."""
        now = timezone.now()
        waiting = {"state": Work.State.WAITING, "due_at": now, "wanted_at": now, "attempts": 0}
        if not cls.objects.filter(job=job, state=Work.State.RUNNING).exists():
            cls.objects.update_or_create(job=job, defaults=waiting)
