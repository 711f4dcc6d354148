"""What all processes have to know of attempts to sign in. Keys are hashes: a row tells no address and no code."""

from django.db import models


class SignInCount(models.Model):
    """The attempts of one client, operator or address within a window that began with the first of them."""

    key = models.CharField(max_length=64, primary_key=True)
    count = models.PositiveIntegerField()
    ends_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.count} until {self.ends_at}"


class UsedCode(models.Model):
    """A one-time code of one operator that was accepted: it is refused as long as it would be valid."""

    key = models.CharField(max_length=64, primary_key=True)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"Used until {self.expires_at}"
