"""Crawls: populations that the worker reads whole, once a day, and the users who were found in each."""

from uuid import UUID

from django.db import models
from django.db.models import Q
from django.utils import timezone

from console.models.people import Operator, Organization
from console.models.work import Work


class CrawlSettings(models.Model):
    """An organization whose populations are crawled. Without a row, none is read."""

    organization = models.OneToOneField(Organization, on_delete=models.CASCADE, related_name="crawl_settings")
    switched_on_at = models.DateTimeField(default=timezone.now)
    switched_on_by = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return f"Crawls of {self.organization_id}"


class Crawl(models.Model):
    """One reading of a population, and what became of it."""

    class State(models.TextChoices):
        READING = "reading"
        HELD = "held"  # it differs too much from the last one: nothing follows from it until an org admin accepts it
        ACCEPTED = "accepted"  # the worker compares it with the last one
        CURRENT = "current"  # what is known of the population
        OLD = "old"  # its rows are being deleted
        INCOMPLETE = "incomplete"  # it has no rows, and nothing follows from it

    class Held(models.TextChoices):
        """Why a crawl waits for an org admin."""

        ADMINISTRATOR = "administrator"  # another one than at the last crawl, who may see other users
        SIZE = "size"

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="crawls")
    environment_id = models.UUIDField()
    administrator = models.CharField(max_length=64)  # the ID of who connected PingOne: a crawl shows what they see
    population_id = models.UUIDField()
    state = models.CharField(max_length=12, choices=State, default=State.READING)
    held = models.CharField(max_length=16, choices=Held, blank=True)
    problem = models.TextField(blank=True)  # why it is incomplete, in English
    starts = models.PositiveSmallIntegerField(default=0)  # a cursor dies with its access token
    people = models.PositiveIntegerField(default=0)
    people_before = models.PositiveIntegerField(null=True)  # of the last crawl; None: there was none
    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)
    accepted_by = models.ForeignKey(Operator, on_delete=models.SET_NULL, null=True, related_name="+")
    accepted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "population_id"], condition=Q(state="current"), name="crawl_one_current"
            )
        ]
        indexes = [models.Index(fields=["organization", "population_id", "state"], name="crawl_by_population")]

    def __str__(self) -> str:
        return f"{self.population_id}: {self.state}"


class CrawledUser(models.Model):
    """A user as a crawl found them, and as the console has changed them since."""

    id = models.BigAutoField(primary_key=True)
    crawl = models.ForeignKey(Crawl, on_delete=models.CASCADE, related_name="users")
    user_id = models.UUIDField()
    username = models.TextField(blank=True)
    enabled = models.BooleanField(null=True)  # None if PingOne does not say
    has_signed_on = models.BooleanField(null=True)
    created_at = models.DateTimeField(null=True)
    last_sign_on_at = models.DateTimeField(null=True)
    # The latest of sign-in, creation and activation in the console. None: not known, and so nobody calls them inactive
    active_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint("crawl", "user_id", name="crawled_user_once")]
        indexes = [
            models.Index(fields=["crawl", "active_at", "id"], name="crawled_user_by_activity"),
            models.Index(fields=["user_id"], name="crawled_user_by_user"),
        ]

    def __str__(self) -> str:
        return f"{self.username} in crawl {self.crawl_id}"


class CrawlWork(Work):
    """The worker's work on a population: the next crawl, or what follows from one that was accepted."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    population_id = models.UUIDField()

    class Meta(Work.Meta):
        constraints = [models.UniqueConstraint("organization", "population_id", name="crawl_work_once")]

    def __str__(self) -> str:
        return f"Crawls of {self.population_id}: {self.state}"

    @classmethod
    def want(cls, organization: Organization, population_id: UUID) -> None:
        """Let the worker look at the population now, unless one does."""
        now = timezone.now()
        of_population = cls.objects.filter(organization=organization, population_id=population_id)
        of_population.filter(state=Work.State.WAITING).update(due_at=now, wanted_at=now, attempts=0)
