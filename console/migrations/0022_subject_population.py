"""The population of the user whom an entry of the audit log is about."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("console", "0021_populations"),
    ]

    operations = [
        migrations.AddField(
            model_name="auditentry",
            name="subject_population",
            field=models.UUIDField(null=True),
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
