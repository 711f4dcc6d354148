"""Who a job is about, before its rows are stored: an uploaded file in parts, ticked users, or a search."""

from datetime import timedelta
from uuid import uuid4

from django.db import models
from django.utils import timezone

from console.models.jobs import Job
from console.models.people import Operator, Organization

UNUSED_FOR = timedelta(days=1)  # a list of which no job was made is deleted


class PeopleList(models.Model):
    """A list of users. The database is the one place that all web and worker processes share, so files are here.

    It is deleted with its job.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    made_by = models.ForeignKey(Operator, on_delete=models.CASCADE, related_name="+")
    job = models.OneToOneField(Job, on_delete=models.CASCADE, null=True, related_name="people")
    source = models.CharField(max_length=12, choices=Job.Source)
    query = models.JSONField(default=dict)  # the IDs, the criteria of the search, or how the file is read
    file_name = models.TextField(blank=True)
    size = models.PositiveIntegerField(default=0)  # of the file, in bytes
    created_at = models.DateTimeField(default=timezone.now)
    filled_at = models.DateTimeField(null=True)  # when all its rows were stored with the job

    class Meta:
        indexes = [models.Index("created_at", name="people_list_by_time", condition=models.Q(job=None))]

    def __str__(self) -> str:
        return f"{self.source} {self.pk}"


class ListPart(models.Model):
    """A part of an uploaded file."""

    list = models.ForeignKey(PeopleList, on_delete=models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint("list", "number", name="list_part_once")]

    def __str__(self) -> str:
        return f"{self.list_id}, part {self.number}"


class ColumnMeanings(models.Model):
    """What the columns of the last list for an action were, in one organization: by normalized heading."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    action = models.CharField(max_length=60)  # its key in the catalogue
    meanings = models.JSONField(default=dict)
    key = models.CharField(max_length=20, blank=True)  # a KeyKind; empty if the users were created

    class Meta:
        constraints = [models.UniqueConstraint("organization", "action", name="column_meanings_once")]

    def __str__(self) -> str:
        return f"{self.action} of {self.organization_id}"
