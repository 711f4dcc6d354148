"""The ends of the audit log's chains: locked while a row is added, and proof that no row is missing."""

from django.db import models

from console.models.people import Organization


class ChainHead(models.Model):
    """The end of one chain."""

    sequence = models.PositiveBigIntegerField(default=0)
    hash = models.CharField(max_length=64, blank=True)
    at = models.DateTimeField(null=True)

    class Meta:
        abstract = True


class AuditHead(ChainHead):
    """The end of an organization's chain."""

    organization = models.OneToOneField(
        Organization, on_delete=models.PROTECT, primary_key=True, related_name="audit_head"
    )

    def __str__(self) -> str:
        return f"{self.organization_id}: {self.sequence}"


class ServerAuditHead(ChainHead):
    """The end of the server's own chain, about people without an organization: a single row."""

    ONLY = 1  # its primary key

    def __str__(self) -> str:
        return f"server: {self.sequence}"
