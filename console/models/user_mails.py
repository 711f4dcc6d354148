"""Emails to users about their account: which of them an organization sends, and the links in them."""

from datetime import timedelta

from django.db import models

from console.models.people import Organization
from console.models.work import Work

LOCK_DAYS = 30


class UserMailSettings(models.Model):
    """What an organization sets for the emails to its users. Without a row: all events are told, LOCK_DAYS."""

    organization = models.OneToOneField(
        Organization, on_delete=models.CASCADE, primary_key=True, related_name="user_mail_settings"
    )
    untold = models.JSONField(default=list)  # keys of the events that are not told
    lock_days = models.PositiveSmallIntegerField(default=LOCK_DAYS)  # of an account by "this was not me"

    def __str__(self) -> str:
        return f"{self.organization_id}: not {self.untold}"

    @property
    def lasting(self) -> timedelta:
        return timedelta(days=self.lock_days)


class NotMeLink(models.Model):
    """The link "this was not me" of one email. The link itself is in the email alone."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    token_hash = models.CharField(max_length=64, unique=True)
    event = models.CharField(max_length=30)  # a key of user_mails/events.py
    user_id = models.UUIDField()
    username = models.CharField(max_length=500, blank=True)  # as it was then, and so is the population
    population_id = models.UUIDField(null=True)
    sent_to = models.CharField(max_length=254)
    entry = models.UUIDField(null=True)  # in the audit log, that the email tells of
    at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["expires_at"], name="not_me_link_by_expiry")]

    def __str__(self) -> str:
        return f"{self.event} of {self.user_id}"


class NotMeReport(Work):
    """A user said "this was not me" by a link: the work that follows from it. One row per link, so it works once."""

    link = models.OneToOneField(NotMeLink, on_delete=models.PROTECT, related_name="report")
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    user_id = models.UUIDField()
    source_address = models.CharField(max_length=45, blank=True)
    entry = models.UUIDField(null=True)  # of the report in the audit log
    locks_until = models.DateTimeField(null=True)  # None: the account is not locked by it
    note = models.TextField(blank=True)  # in English: why not, or what is left to do

    class Meta(Work.Meta):
        indexes = [*Work.Meta.indexes, models.Index("organization", "user_id", name="not_me_report_of_user")]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.state}"

    @property
    def is_over(self) -> bool:
        return self.state not in {Work.State.WAITING, Work.State.RUNNING}
