"""Undo: at most one undo of an entry takes effect."""

from django.db import models

from console.models.people import Organization


class UndoClaim(models.Model):
    """The claim of one undo on the entry that it undoes (a lock row; its primary key makes it unique per entry).

    Held while the undo runs, and for good once it took effect or may have: see console.perform.undo_claims.
    """

    undone = models.UUIDField(primary_key=True)  # the entry
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="undo_claims")
    submission = models.UUIDField()  # of the undo, as in its first row of the audit log
    at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.undone)
