"""The active faults, and the changes made."""

from django.db import models


class Fault(models.Model):
    """A fault of requests: `effect` names an entry of EFFECTS in faults/effects.py."""

    class Part(models.TextChoices):
        API = "api", "The API: /v1/..."
        TOKEN = "token", "The token endpoint"
        SIGN_ON = "sign-on", "The rest of .../as/: discovery, sign-on, keys, revocation, userinfo"
        ALL = "all", "Everything"

    effect = models.CharField(max_length=40)
    on = models.CharField(max_length=10, choices=Part.choices, default=Part.API)
    path = models.CharField(max_length=200, blank=True, default="")  # must occur in the request's path
    methods = models.CharField(max_length=60, blank=True, default="")  # GET,POST; empty: every method
    seconds = models.FloatField(default=0)
    retry_after = models.CharField(max_length=60, blank=True, default="")  # the header's value
    times = models.PositiveIntegerField(null=True, blank=True)  # how many uses are left; None: until it is fixed

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.effect} on {self.on}"

    def concerns(self, method: str, path: str) -> bool:
        return self.path in path and (not self.methods or method in self.methods.split(","))

    def strike(self) -> bool:
        """Count the request in one UPDATE. Of simultaneous requests, at most `times` get True."""
        if self.times is None:
            return True
        return Fault.objects.filter(pk=self.pk, times__gt=0).update(times=models.F("times") - 1) == 1


class WorldChange(models.Model):
    """A change to the seeded state: `name` names an entry of CHANGES in faults/changes.py."""

    name = models.CharField(max_length=40)
    words = models.CharField(max_length=500)  # the result, for the control page
    undo = models.JSONField(default=dict)  # the data to undo the change

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.words
