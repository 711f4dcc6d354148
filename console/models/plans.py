"""Plans of an organization with their versions, and the runs of plans on one person each."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4, uuid5

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone

from console.models.jobs import Job
from console.models.people import Operator, Organization
from console.models.work import Work


class Plan(models.Model):
    """A plan of the organization's own. What it says is in its versions."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="plans")
    slug = models.SlugField()
    name = models.CharField(max_length=80)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint("organization", "slug", name="plan_slug_once")]
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class PlanVersion(models.Model):
    """A plan as it was saved once. The latest is the one that new runs take; none is ever changed."""

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()  # from 1
    definition = models.JSONField()  # see plans/definition.py
    author = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint("plan", "number", name="plan_version_once")]
        ordering = ["-number"]

    def __str__(self) -> str:
        return f"{self.plan} {self.number}"


class PlanRun(models.Model):
    """A plan for one person: what was decided at the start, and how far it got.

    What a person decides is here; the work of the worker on it is a PlanWork.
    """

    class State(models.TextChoices):
        SCHEDULED = "scheduled"  # until its time comes
        RUNNING = "running"
        WAITING = "waiting"  # between two steps, as the plan says
        STOPPED = "stopped"  # until a person decides
        CANCELED = "canceled"
        FINISHED = "finished"

    class Stop(models.TextChoices):
        """Why a run has stopped and asks."""

        FAILED = "failed"  # a step did not succeed
        NOT_FINISHED = "not finished"  # a last read says that access is left
        PERSON_CHANGED = "person changed"  # they are not as the run left them
        ACCESS = "access"  # the starter has left, or lost the right
        LATE = "late"  # it gives access, and its time is long past
        BY_HAND = "by hand"  # a person has to do the step
        UNKNOWN = "unknown"  # the outcome of a step is unknown
        MISTAKE = "mistake"  # of the console itself

    OPEN = (State.SCHEDULED, State.RUNNING, State.WAITING, State.STOPPED)

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="plan_runs")
    version = models.ForeignKey(PlanVersion, on_delete=models.SET_NULL, null=True, related_name="+")  # None: shipped
    definition = models.JSONField()  # frozen at the start
    plan_slug = models.CharField(max_length=50)
    plan_name = models.CharField(max_length=80)
    brings_back = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="+")

    person_id = models.UUIDField(null=True)  # None: the person is not created yet
    person_name = models.TextField(blank=True)  # the username
    person_full_name = models.TextField(blank=True)
    population_id = models.UUIDField(null=True)  # at the start

    # Met once, at the start
    starter = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="+")
    populations = models.JSONField(null=True)  # the only ones whose users the starter saw; None: all
    choices = models.JSONField(default=dict)  # the inputs that were asked, by the number of the step
    channel = models.CharField(max_length=10, default="page")  # an AuditEntry.Channel
    ticket = models.CharField(max_length=100, blank=True)
    reason = models.TextField(blank=True)
    source_address = models.CharField(max_length=45, blank=True)
    system_user = models.CharField(max_length=64, blank=True)
    signed_in_at = models.DateTimeField(null=True)
    met_at = models.DateTimeField(null=True)
    job = models.ForeignKey(Job, on_delete=models.SET_NULL, null=True, related_name="plan_runs")  # that started it
    passes_brake = models.BooleanField(default=False, db_default=False)  # with the job that started it

    # When
    starts_at = models.DateTimeField(default=timezone.now)
    starts_local = models.CharField(max_length=16, blank=True)  # YYYY-MM-DDTHH:MM; empty: started at once
    zone = models.CharField(max_length=64, blank=True)  # an IANA time zone

    state = models.CharField(max_length=10, choices=State, default=State.RUNNING)
    stop = models.CharField(max_length=16, choices=Stop, blank=True)
    stop_detail = models.TextField(blank=True)  # in English, as in the record
    before = models.JSONField(default=dict)  # the person before the first step, for Bring back
    as_left = models.JSONField(default=dict)  # the person after the last step that ended
    checked = models.PositiveSmallIntegerField(default=0)  # the number of the step after which a last read said: done
    rounds = models.PositiveSmallIntegerField(default=0)  # of that read
    announced_at = models.DateTimeField(null=True)  # that the user will be deleted

    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)
    delete_after = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "person_id"],
                condition=Q(state__in=("scheduled", "running", "waiting", "stopped")),
                name="plan_run_one_open_per_person",
            ),
            models.UniqueConstraint(
                "organization",
                Lower("person_name"),
                condition=Q(state__in=("scheduled", "running", "waiting", "stopped"), person_id=None),
                name="plan_run_one_open_per_newcomer",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "person_id", "-created_at"], name="plan_run_by_person"),
            models.Index(fields=["organization", "state", "starts_at"], name="plan_run_by_start"),
            models.Index(fields=["delete_after"], name="plan_run_by_deletion"),
        ]

    def __str__(self) -> str:
        return f"{self.plan_slug} {self.pk}: {self.state}"

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN


class PlanRunStep(models.Model):
    """One step of a run."""

    class State(models.TextChoices):
        TO_COME = "to come"
        STARTED = "started"
        DONE = "done"
        NO_CHANGE = "no change"
        LEFT_OUT = "left out"  # its condition is not met, or nothing was chosen for it
        REFUSED = "refused"
        FAILED = "failed"
        UNKNOWN = "unknown"

    OVER = (State.DONE, State.NO_CHANGE, State.LEFT_OUT)

    run = models.ForeignKey(PlanRun, on_delete=models.CASCADE, related_name="steps")
    number = models.PositiveSmallIntegerField()  # from 1
    state = models.CharField(max_length=10, choices=State, default=State.TO_COME)
    attempt = models.PositiveSmallIntegerField(default=0)  # "try again" begins the next
    due_at = models.DateTimeField(null=True)  # of what comes after a wait
    reached_at = models.DateTimeField(null=True)
    detail = models.TextField(blank=True)  # in English
    # What it does: inputs, name, entry in the audit log, state. None: not looked up yet
    targets = models.JSONField(null=True)
    earlier = models.JSONField(null=True)  # what attempts before this one have done, as in `targets`; for Bring back
    after = models.JSONField(default=dict)  # what the person was like after it

    class Meta:
        constraints = [models.UniqueConstraint("run", "number", name="plan_run_step_once")]

    def __str__(self) -> str:
        return f"{self.number}: {self.state}"

    def next_attempt(self) -> dict[str, Any]:
        """Return the changes with which the step is looked up and done anew. What it has done stays known."""
        done = (self.State.DONE, self.State.UNKNOWN)
        earlier = [*(self.earlier or ()), *(one for one in self.targets or () if one.get("state") in done)]
        return {
            "state": self.State.TO_COME,
            "attempt": self.attempt + 1,
            "targets": None,
            "earlier": earlier or None,
            "detail": "",
        }

    def submission(self, about: str) -> UUID:
        """Return the idempotency key of one thing that this attempt does: the record takes it once."""
        return uuid5(self.run_id, f"{self.number} {self.attempt} {about}")


class PlanWork(Work):
    """The worker's work on a run."""

    run = models.OneToOneField(PlanRun, on_delete=models.CASCADE, related_name="work")
    is_for_many = models.BooleanField(default=False, db_default=False)  # of a run that a job has started

    class Meta(Work.Meta):
        indexes = [
            *Work.Meta.indexes,
            models.Index(fields=["is_for_many", "state", "due_at"], name="planwork_due_for_many"),
        ]

    def __str__(self) -> str:
        return f"Work on {self.run_id}: {self.state}"

    @classmethod
    def want(cls, run: PlanRun, at: datetime | None = None) -> None:
        """Let the worker look at the run at this time, or now. A worker that holds it looks again before it leaves."""
        due = at or timezone.now()
        waiting = {
            "state": Work.State.WAITING,
            "due_at": due,
            "wanted_at": due,
            "attempts": 0,
            "is_for_many": run.job_id is not None,
        }
        if not cls.objects.filter(run=run, state=Work.State.RUNNING).exists():
            cls.objects.update_or_create(run=run, defaults=waiting)
