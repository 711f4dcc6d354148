"""Populations that a member is narrowed to."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("console", "0020_ticket_masks"),
    ]

    operations = [
        migrations.AddField(
            model_name="membership",
            name="populations",
            field=models.JSONField(default=None, null=True),
        ),
    ]
