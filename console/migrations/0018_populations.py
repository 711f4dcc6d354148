"""Populations that a member is narrowed to, and of the users in the audit log."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("console", "0017_policies"),
    ]

    operations = [
        migrations.AddField(
            model_name="auditentry",
            name="subject_population",
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name="membership",
            name="populations",
            field=models.JSONField(default=None, null=True),
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(
                models.F("organization"),
                models.F("subject_population"),
                models.F("sequence"),
                name="audit_by_subject_population",
            ),
        ),
    ]
