"""Announce on each organization which actions require a ticket, as TicketPolicy keeps it. 0013 adds the examples."""

from django.db import migrations, models


def announce(apps, schema_editor):
    for organization in apps.get_model("console", "Organization").objects.all():
        policies = organization.ticket_policies.exclude(requirement="optional")
        organization.required_tickets = {policy.action: "" for policy in policies}
        organization.save(update_fields=["required_tickets"])


class Migration(migrations.Migration):
    dependencies = [
        ("console", "0008_audit_search"),
    ]

    operations = [
        migrations.AddField(
            model_name="organization",
            name="required_tickets",
            field=models.JSONField(default=dict, editable=False),
        ),
        migrations.RunPython(announce, migrations.RunPython.noop, elidable=True),
    ]
