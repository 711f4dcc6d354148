"""Rules: who comes into a population gets groups, and perhaps loses them again when they leave it."""

from typing import Any
from uuid import UUID, uuid4, uuid5

from django.db import models
from django.utils import timezone

from console.models.people import Operator, Organization
from console.models.work import Work


class Rule(models.Model):
    """A rule of an organization, with whose rights it acts, and whether it does."""

    class State(models.TextChoices):
        OFF = "off"
        ON = "on"
        STOPPED = "stopped"  # until an org admin decides; who comes meanwhile waits

    class Stop(models.TextChoices):
        """Why a rule has stopped and asks."""

        ACCESS = "access"  # its author has left, or lost the right
        BRAKE = "brake"  # the brake on mass change
        DEMAND = "demand"  # a policy asks for more than was met when it was switched on
        MISTAKE = "mistake"  # of the console itself

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="rules")
    name = models.CharField(max_length=80)
    population_id = models.UUIDField()
    groups = models.JSONField(default=list)  # [{"id", "name"}]
    takes_back = models.BooleanField(default=False)  # what it gave, when somebody leaves the population
    author = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="+")  # with whose rights it acts

    state = models.CharField(max_length=8, choices=State, default=State.OFF)
    stop = models.CharField(max_length=8, choices=Stop, blank=True)
    stop_detail = models.TextField(blank=True)  # in English
    let_pass_at = models.DateTimeField(null=True)  # what waited then passes the brake

    # Met when it was switched on
    ticket = models.CharField(max_length=100, blank=True)
    reason = models.TextField(blank=True)
    source_address = models.CharField(max_length=45, blank=True)
    signed_in_at = models.DateTimeField(null=True)
    switched_on_at = models.DateTimeField(null=True)

    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint("organization", "name", name="rule_name_once")]
        indexes = [models.Index(fields=["organization", "population_id", "state"], name="rule_by_population")]
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class RuleEffect(Work):
    """What a rule does for one user who came or left, and what became of it: also the memory of what it gave."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    rule = models.ForeignKey(Rule, on_delete=models.CASCADE, related_name="effects")
    user_id = models.UUIDField()
    username = models.TextField(blank=True)
    gives = models.BooleanField()  # False: takes back
    cause = models.CharField(max_length=60)  # the crawl, preview or entry of the record: one effect of each
    groups: "models.JSONField[Any, Any]" = models.JSONField(default=list)  # see rules/effects.py; filled when it begins
    detail = models.TextField(blank=True)  # why it failed or was left out, in English
    created_at = models.DateTimeField(default=timezone.now)

    class Meta(Work.Meta):
        constraints = [models.UniqueConstraint("rule", "user_id", "gives", "cause", name="rule_effect_once")]
        indexes = [
            *Work.Meta.indexes,
            models.Index(fields=["rule", "state", "created_at"], name="rule_effect_by_state"),
            models.Index(fields=["rule", "user_id"], name="rule_effect_by_user"),
        ]

    def __str__(self) -> str:
        return f"{'Give' if self.gives else 'Take back'}, {self.username}: {self.state}"

    def submission(self, group_id: str, attempt: int) -> UUID:
        """Return the idempotency key of one change of a group: the record takes it once."""
        return uuid5(self.pk, f"{group_id} {attempt}")
