"""Saved requests of the Call API page, per organization."""

from django.db import models

from console.models.people import Operator, Organization


class SavedApiCall(models.Model):
    """A request as typed, without its secrets."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="saved_api_calls")
    name = models.CharField(max_length=100)
    method = models.CharField(max_length=10)
    path = models.TextField()
    query = models.TextField(blank=True)
    media_type = models.CharField(max_length=200)
    body = models.TextField(blank=True)
    saved_by = models.ForeignKey(Operator, on_delete=models.SET_NULL, null=True, related_name="+")
    saved_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint("organization", "name", name="saved_api_call_name_once")]

    def __str__(self) -> str:
        return self.name
