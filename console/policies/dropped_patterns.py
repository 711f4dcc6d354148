"""Telling org admins of ticket patterns that an upgrade had to drop: regular expressions that no mask can stand for."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.audit import entries
from console.models import AuditEntry, Organization, TicketPolicy
from console.outbox import emails
from console.policies.matrix import LABELS
from pingone_integration.texts import english

_WORTH = timedelta(days=14)


def tell_after_upgrade(**signal: Any) -> None:
    """Receive Django's signal after a migration, and tell once the database has everything that the code expects."""
    executor = MigrationExecutor(connection)
    if not executor.migration_plan(executor.loader.graph.leaf_nodes("console")):
        tell()


def tell() -> None:
    """Record each dropped pattern, and email the org admins. What was told is not told again."""
    dropped = TicketPolicy.objects.exclude(dropped_pattern="")
    for organization in Organization.objects.filter(ticket_policies__in=dropped).distinct():
        with transaction.atomic():
            theirs = list(dropped.filter(organization=organization).select_for_update())
            for policy in theirs:
                entries.record(
                    organization,
                    "policy.pattern-dropped",
                    subject=entries.Subject(
                        kind=AuditEntry.Subject.POLICY,
                        id=policy.action,
                        name=f"Ticket: {english(LABELS.get(policy.action, policy.action))}",
                    ),
                    before={"requirement": "pattern", "pattern": policy.dropped_pattern},
                    after={"requirement": "required", "pattern": ""},
                )
            _email(organization, theirs)
            TicketPolicy.objects.filter(pk__in=[policy.pk for policy in theirs]).update(dropped_pattern="")


def _email(organization: Organization, policies: list[TicketPolicy]) -> None:
    context = {
        "organization": organization,
        "lines": [(LABELS.get(policy.action, policy.action), policy.dropped_pattern) for policy in policies],
        "url": settings.PUBLIC_URL + reverse("ticket-policies", args=[organization.slug]),
    }
    subject = format_lazy(_("{org}: enter the ticket patterns again"), org=organization.name)
    for admin in organization.org_admins():
        emails.write(
            to=admin.email,
            subject=str(subject),
            body=render_to_string("console/email/ticket_patterns.txt", context),
            about=f"ticket patterns {organization.pk}",
            worth_for=_WORTH,
            may_repeat=True,
        )
